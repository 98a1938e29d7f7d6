package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts again what does not run: servers of ZooKeeper first, since the others need them, all others at once.
public final class Healing {
    private static final Logger LOG = LoggerFactory.getLogger(Healing.class);

    private final ClusterUnderTest cluster;

    public Healing(ClusterUnderTest cluster) {
        this.cluster = requireNonNull(cluster, "cluster is null");
    }

    /// Starts everything that has stopped.
    ///
    /// @return who was started; with the code of the error who could not be
    public List<String> reviveAll() {
        List<String> all = new ArrayList<>(cluster.zooKeepers());
        all.addAll(cluster.coordinators());
        all.addAll(cluster.hosts());
        return revive(all);
    }

    /// Begins to start those of them that have stopped, and does not wait: so that what comes next meets processes that
    /// are just starting.
    ///
    /// @return who has stopped
    List<String> reviveSoon(List<String> processes) {
        List<String> stopped = processes.stream()
                .filter(p -> cluster.processes().process(p).state() == ProcessState.STOPPED).toList();
        Thread.ofVirtual().start(() -> revive(stopped));
        return stopped;
    }

    /// Starts those of them that have stopped.
    List<String> revive(List<String> processes) {
        List<String> stopped = processes.stream()
                .filter(p -> cluster.processes().process(p).state() == ProcessState.STOPPED).toList();
        List<String> servers = stopped.stream().filter(cluster.zooKeepers()::contains).toList();
        List<String> revived = new ArrayList<>(atOnce(servers));
        revived.addAll(atOnce(stopped.stream().filter(p -> !servers.contains(p)).toList()));
        return revived;
    }

    private List<String> atOnce(List<String> processes) {
        List<CompletableFuture<String>> all = processes.stream().map(p -> CompletableFuture.supplyAsync(() -> revive(p),
                task -> Thread.ofVirtual().start(task))).toList();
        return all.stream().map(CompletableFuture::join).toList();
    }

    private String revive(String process) {
        try {
            cluster.revive(process);
            return process;
        } catch (TomboloException e) {
            // While other faults are at work a process may well not come up; it is tried again.
            LOG.info("{} does not come up: {}", process, e.getMessage());
            return process + " " + e.code().name();
        }
    }
}
