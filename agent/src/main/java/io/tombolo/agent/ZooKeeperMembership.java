package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.ClusterTree;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.Leases;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.SessionHeartbeat;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A host's place in ZooKeeper: its record, its heartbeats, and the leases of the VMs it runs.
///
/// One thread does all of it at a steady pace, so that a slow ZooKeeper delays nothing else in the agent: it passes new
/// heartbeats on, joins again after a new session, and brings the leases into line with what runs here. A lease that
/// cannot be had now is tried again later; nobody waits for it.
final class ZooKeeperMembership implements ClusterMembership {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperMembership.class);
    private static final int LEASE_EVERY_TURNS = 8;

    private final AgentConfig config;
    private final Timings timings;
    private final Consumer<RightEvent> events;
    private final ZkConnection zk;
    private final Membership members;
    private final Leases leases;
    private final ScheduledExecutorService beats = executor("agent-heartbeat");
    private final ScheduledExecutorService chores = executor("agent-zookeeper");
    private final Map<Integer, String> names = new ConcurrentHashMap<>();
    private final Set<String> leasesHeld = ConcurrentHashMap.newKeySet();
    private volatile Set<String> wanted = Set.of();
    private SessionHeartbeat heartbeat;
    private HostRecord own;
    private long seenSession;
    private long seenSentNs;
    private int turns;

    private ZooKeeperMembership(AgentConfig config, Timings timings, Consumer<RightEvent> events) {
        this.config = requireNonNull(config, "config is null");
        this.timings = requireNonNull(timings, "timings is null");
        this.events = requireNonNull(events, "events is null");
        this.zk = ZkConnection.open(config.zookeeper().connect(),
                new ZkPaths(config.zookeeper().rootFor(config.clusterName())), config.zookeeper().sessionTimeoutMs(),
                timings.startTimeoutMs());
        this.members = new Membership(zk, System::nanoTime);
        this.leases = new Leases(zk, config.name());
    }

    static ClusterMembership open(AgentConfig config, Timings timings, UUID region, Consumer<RightEvent> events) {
        ZooKeeperMembership membership = new ZooKeeperMembership(config, timings, events);
        try {
            timings.requireGranted(membership.zk.grantedTimeoutMs());
            new ClusterTree(membership.zk)
                    .join(new ClusterRecord(config.clusterUuid(), config.clusterName(), region));
            return membership;
        } catch (TomboloException e) {
            membership.close();
            throw e;
        }
    }

    private static ScheduledExecutorService executor(String name) {
        return Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name(name).factory());
    }

    @Override
    public void join(ClaimedSlot slot, String address, int port) {
        names.put(slot.slot(), config.name());
        own = new HostRecord(config.name(), config.hostUuid(), slot.slot(), slot.incarnation(), Linux.bootId(),
                ProcessHandle.current().pid(), address, port, config.drivers());
        // A predecessor that was killed leaves its record for a session time-out; a live one with our name stays.
        members.join(own, timings.detectionMs() + timings.sessionMs());
        heartbeat = SessionHeartbeat.start(zk, Linux::clockBoottimeNs, timings.startTimeoutMs());
        seenSession = heartbeat.confirmation().sessionId();
        pass();
        long periodMs = Math.max(1, timings.keeperTickMs());
        var _ = beats.scheduleWithFixedDelay(this::pass, periodMs, periodMs, TimeUnit.MILLISECONDS);
        var _ = chores.scheduleWithFixedDelay(this::chore, 0, timings.heartbeatPeriodMs(), TimeUnit.MILLISECONDS);
    }

    /// Passes a new heartbeat on. A confirmation on another session means that the one before is gone.
    private void pass() {
        SessionHeartbeat.Confirmation newest = heartbeat.confirmation();
        if (newest.sessionId() != seenSession) {
            seenSession = newest.sessionId();
            events.accept(new RightEvent.SessionLost());
        }
        if (newest.sentNs() != seenSentNs) {
            seenSentNs = newest.sentNs();
            events.accept(new RightEvent.HeartbeatConfirmed(newest.sentNs(), newest.grantedTimeoutMs()));
        }
    }

    private void chore() {
        try {
            if (!members.isJoined(own)) {
                LOG.info("host {}: joins again after a new session", own.name());
                members.join(own, timings.detectionMs());
            }
            members.hosts().forEach(host -> names.put(host.slot(), host.name()));
            if (turns++ % LEASE_EVERY_TURNS == 0) {
                reconcileLeases();
            }
        } catch (TomboloException e) {
            // ZooKeeper is away or slow: the right keeper acts on missing heartbeats, the next turn tries again.
            LOG.debug("ZooKeeper chores: {}", e.getMessage());
        }
    }

    @Override
    public void hosting(Set<String> vms) {
        wanted = Set.copyOf(vms);
        chores.execute(() -> {
            try {
                reconcileLeases();
            } catch (TomboloException e) {
                LOG.debug("leases: {}", e.getMessage());
            }
        });
    }

    private void reconcileLeases() {
        Set<String> now = wanted;
        for (String vm : leasesHeld) {
            if (!now.contains(vm)) {
                leases.release(vm);
            }
        }
        leasesHeld.retainAll(now);
        for (String vm : now) {
            leases.acquire(vm, timings.sessionMs());
            leasesHeld.add(vm);
        }
    }

    @Override
    public String hostName(int hostSlot) {
        return names.getOrDefault(hostSlot, "slot-" + hostSlot);
    }

    @Override
    public void close() {
        beats.shutdownNow();
        chores.shutdownNow();
        if (heartbeat != null) {
            heartbeat.close();
        }
        leases.close();
        zk.close();
    }
}
