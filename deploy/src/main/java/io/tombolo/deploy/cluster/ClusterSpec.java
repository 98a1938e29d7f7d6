package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.AgentConfig;
import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.PlacementConfig;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.TomboloException;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;

/// A local cluster that is to be started. Checked when it is made.
///
/// @param name name of the cluster
/// @param hosts names of the agents
/// @param coordinators how many, of which one leads
/// @param zookeeperServers servers of its own ensemble, 1 or 3; without meaning for an ensemble that is there
/// @param zookeeper connection string of an ensemble that is there; empty for one of its own
/// @param zookeeperPorts client ports of the own servers; empty for free ones
/// @param root root path in ZooKeeper; empty for `/tombolo/<name>`
/// @param regionBytes room for guest memory and page tables
/// @param baseMs the base figure of all timings, see [Timings]
/// @param agentHeapMb heap of an agent; guest memory is not in it
/// @param drivers hypervisor drivers the agents offer: `simulated`, `qemu`
/// @param qemu settings of the `qemu` driver
/// @param rehearsalHops hand-offs of a scratch VM that each agent makes at its start
/// @param maxVmsPerHost VMs that a host may own
/// @param localTierBytes memory of its own that each agent reserves for pages, a multiple of 2 MiB; 0 for none
public record ClusterSpec(String name, List<String> hosts, int coordinators, int zookeeperServers, String zookeeper,
        List<Integer> zookeeperPorts, String root, long regionBytes, int baseMs, int agentHeapMb,
        List<String> drivers, AgentConfig.QemuConfig qemu, int rehearsalHops, int maxVmsPerHost,
        long localTierBytes) {
    /// Smallest region worth formatting.
    public static final long REGION_BYTES_MIN = 1 << 20;

    private static final int DEFAULT_REHEARSAL_HOPS = 6_000;
    private static final int NAME_CHARS_MAX = 32;

    public ClusterSpec {
        requireNonNull(name, "name is null");
        hosts = List.copyOf(hosts);
        requireNonNull(zookeeper, "zookeeper is null");
        zookeeperPorts = List.copyOf(zookeeperPorts);
        requireNonNull(root, "root is null");
        drivers = List.copyOf(drivers);
        check(VmSpec.isName(name) && name.length() <= NAME_CHARS_MAX, "name", name,
                "1 to " + NAME_CHARS_MAX + " of a-z 0-9 -, first a letter or digit");
        check(!hosts.isEmpty() && hosts.size() <= 64 && hosts.stream().allMatch(VmSpec::isName)
                && new HashSet<>(hosts).size() == hosts.size(), "hosts", hosts, "1 to 64 different names");
        check(hosts.stream().noneMatch(h -> h.matches("(coordinator|zookeeper)-[0-9]+")), "hosts", hosts,
                "names that no coordinator or ZooKeeper server has");
        check(coordinators >= 1 && coordinators <= 9, "coordinators", coordinators, "1 to 9");
        check(zookeeperServers == 1 || zookeeperServers == 3, "zookeeperServers", zookeeperServers, "1 or 3");
        check(zookeeperPorts.isEmpty() || (zookeeper.isEmpty() && zookeeperPorts.size() == zookeeperServers
                && zookeeperPorts.stream().allMatch(p -> p > 0 && p < 65536)), "zookeeperPorts", zookeeperPorts,
                "one port for each own server");
        check(root.isEmpty() || (root.startsWith("/") && !root.endsWith("/")), "root", root,
                "an absolute path without / at the end");
        check(regionBytes >= REGION_BYTES_MIN, "regionBytes", regionBytes, "at least " + REGION_BYTES_MIN);
        check(agentHeapMb >= 32 && agentHeapMb <= 65_536, "agentHeapMb", agentHeapMb, "32 to 65536");
        check(!drivers.isEmpty() && List.of("simulated", "qemu").containsAll(drivers), "drivers", drivers,
                "simulated, qemu");
        requireNonNull(qemu, "qemu is null");
        check(rehearsalHops >= 0 && rehearsalHops <= 100_000, "rehearsalHops", rehearsalHops, "0 to 100000");
        // These three throw by themselves what is out of range.
        check(AgentConfig.LocalTierConfig.ofBytes(localTierBytes).bytes() == localTierBytes, "localTierBytes",
                localTierBytes, "a size of a local tier");
        check(new PlacementConfig(maxVmsPerHost).maxVmsPerHost() == maxVmsPerHost, "maxVmsPerHost", maxVmsPerHost,
                "a limit of placement");
        check(new Timings(baseMs).baseMs() == baseMs, "baseMs", baseMs, "a base of timings");
    }

    private static void check(boolean holds, String key, Object found, String expected) {
        if (!holds) {
            throw TomboloException
                    .error(ClusterError.CLUSTER_SPEC_INVALID, "the cluster cannot be like that").fact("key", key)
                    .fact("found", found).fact("expected", expected).next("correct the value").build();
        }
    }

    /// Three hosts `host-1` to `host-3`, two coordinators, a ZooKeeper server of its own, the simulated driver.
    public static ClusterSpec of(String name, long regionBytes) {
        return new ClusterSpec(name, hostNames(3), 2, 1, "", List.of(), "", regionBytes, Timings.DEFAULT_BASE_MS, 256,
                List.of("simulated"), new AgentConfig.QemuConfig("qemu-system-x86_64", "auto", ""),
                DEFAULT_REHEARSAL_HOPS, PlacementConfig.DEFAULT_MAX_VMS_PER_HOST,
                AgentConfig.LocalTierConfig.DEFAULT_BYTES);
    }

    /// `host-1`, `host-2`, …
    public static List<String> hostNames(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> "host-" + i).toList();
    }

    public ClusterSpec withHosts(List<String> names) {
        return new ClusterSpec(name, names, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withCoordinators(int count) {
        return new ClusterSpec(name, hosts, count, zookeeperServers, zookeeper, zookeeperPorts, root, regionBytes,
                baseMs, agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withZooKeeperServers(int count) {
        return new ClusterSpec(name, hosts, coordinators, count, zookeeper, zookeeperPorts, root, regionBytes, baseMs,
                agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withZooKeeperPorts(List<Integer> ports) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, ports, root, regionBytes, baseMs,
                agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    /// An ensemble that is there.
    public ClusterSpec withZooKeeper(String connect, String path) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, connect, List.of(), path, regionBytes,
                baseMs, agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withBaseMs(int base) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, base, agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withAgentHeapMb(int megabytes) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, megabytes, drivers, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withDrivers(List<String> names) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, agentHeapMb, names, qemu, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withQemu(AgentConfig.QemuConfig settings) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, agentHeapMb, drivers, settings, rehearsalHops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withRehearsalHops(int hops) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, agentHeapMb, drivers, qemu, hops, maxVmsPerHost, localTierBytes);
    }

    public ClusterSpec withMaxVmsPerHost(int limit) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, agentHeapMb, drivers, qemu, rehearsalHops, limit, localTierBytes);
    }

    /// Memory of their own for pages, of each host; 0 for hosts without a local tier.
    public ClusterSpec withLocalTierBytes(long bytes) {
        return new ClusterSpec(name, hosts, coordinators, zookeeperServers, zookeeper, zookeeperPorts, root,
                regionBytes, baseMs, agentHeapMb, drivers, qemu, rehearsalHops, maxVmsPerHost, bytes);
    }

    /// Room in memory that region and local tiers take together.
    long memoryBytes() {
        return regionBytes + hosts.size() * localTierBytes;
    }

    /// The root in ZooKeeper that is really used.
    public String effectiveRoot() {
        return root.isEmpty() ? "/tombolo/" + name : root;
    }

    Timings timings() {
        return new Timings(baseMs);
    }
}
