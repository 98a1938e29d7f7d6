package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.coordinator.Threads;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.region.TomboloException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts again what has stopped, as a service manager would: after half a second, again and again until it comes up,
/// unless a nemesis keeps it down. While other faults are at work a process may well not come up. Thread safe.
public final class Healing implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Healing.class);
    private static final long LOOK_NS = 500_000_000;

    private final ClusterUnderTest cluster;
    private final Set<String> keptDown = ConcurrentHashMap.newKeySet();
    private final Set<String> starting = ConcurrentHashMap.newKeySet();
    private final Thread thread;
    private volatile boolean closed;

    public Healing(ClusterUnderTest cluster) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.thread = Thread.ofPlatform().daemon().name("chaos-restarts").start(this::work);
    }

    /// These are to stay down when they stop.
    void keepDown(Collection<String> processes) {
        keptDown.addAll(processes);
    }

    /// These may come up again.
    ///
    /// @return those of them that have stopped
    List<String> letUp(Collection<String> processes) {
        List<String> stopped = processes.stream().filter(this::hasStopped).toList();
        keptDown.removeAll(processes);
        return stopped;
    }

    private boolean hasStopped(String process) {
        return cluster.processes().process(process).state() == ProcessState.STOPPED;
    }

    private void work() {
        while (!closed) {
            for (String process : cluster.members()) {
                if (!keptDown.contains(process) && hasStopped(process) && starting.add(process)) {
                    Thread.ofVirtual().start(() -> revive(process));
                }
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    private void revive(String process) {
        try {
            cluster.revive(process);
        } catch (TomboloException e) {
            LOG.info("{} does not come up: {}", process, e.getMessage());
        } catch (IllegalStateException e) {
            // The run is over and the cluster is being closed.
            LOG.debug("{} is not started any more", process, e);
        } finally {
            starting.remove(process);
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        Threads.awaitEnd(thread);
    }
}
