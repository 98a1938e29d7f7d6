package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

/// The tree of one cluster in ZooKeeper. docs/zookeeper.md draws it with payloads and writers.
///
///     <root>                    /tombolo/<cluster name> unless configured
///     ├── cluster               ClusterRecord; created once
///     ├── term                  LeaderRecord; its znode version is the term of the leading coordinator
///     ├── leader/               LeaderLatch
///     ├── hosts/<host>          HostRecord, ephemeral, by its agent
///     ├── vms/<vm>              VmRecord
///     ├── intents               its znode version is the sequence number of the newest intent
///     │   └── <vm>              IntentRecord, while a hand-off is under way
///     ├── drained/<host>        DrainedRecord, while no VM is to be placed there
///     └── leases/<vm>/          InterProcessSemaphoreV2 with one permit
public record ZkPaths(String root) {
    public ZkPaths {
        requireNonNull(root, "root is null");
    }

    public String cluster() {
        return root + "/cluster";
    }

    public String term() {
        return root + "/term";
    }

    public String leaderLatch() {
        return root + "/leader";
    }

    public String hosts() {
        return root + "/hosts";
    }

    public String host(String name) {
        return hosts() + "/" + name;
    }

    public String vms() {
        return root + "/vms";
    }

    public String vm(String name) {
        return vms() + "/" + name;
    }

    public String intents() {
        return root + "/intents";
    }

    public String intent(String vm) {
        return intents() + "/" + vm;
    }

    public String drained() {
        return root + "/drained";
    }

    public String drained(String host) {
        return drained() + "/" + host;
    }

    public String leases() {
        return root + "/leases";
    }

    public String lease(String vm) {
        return leases() + "/" + vm;
    }
}
