package io.tombolo.chaos.sim;

import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.Timings;
import io.tombolo.chaos.coordination.Code;
import io.tombolo.chaos.coordination.Request;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.function.Consumer;

/// A host's place in the coordination service, after the agent's ZooKeeperMembership and SessionHeartbeat: the shipped
/// [Membership] on a session of this world. Leases are left out, they decide nothing.
final class SimMembership {
    private static final long MS = 1_000_000;
    private static final Timings TIMINGS = SimHost.TIMINGS;
    private static final long HEARTBEAT_NS = TIMINGS.heartbeatPeriodMs() * MS;

    private final World world;
    private final SimHost host;
    private final SimSession session;
    private final Consumer<RightEvent> events;
    private final Membership members;
    private long seenSession;
    private long seenSentNs = -1;

    SimMembership(World world, SimHost host, SimSession session, Consumer<RightEvent> events) {
        this.world = world;
        this.host = host;
        this.session = session;
        this.events = events;
        this.members = new Membership(ZkConnection.over(session, SimEnsemble.PATHS), world.scheduler()::nowNs,
                ms -> world.scheduler().sleep(ms * MS));
    }

    SimSession session() {
        return session;
    }

    /// Joins, and goes on for as long as the host lives; on an actor of its own.
    void work(HostRecord own) {
        try {
            members.join(own, TIMINGS.detectionMs() + TIMINGS.sessionMs());
        } catch (TomboloException e) {
            world.trace(() -> host + " cannot join: " + e.getMessage());
            world.machines().die(host, false);
        }
        session.loop().execute(this::beat);
        while (true) {
            world.scheduler().sleep(HEARTBEAT_NS);
            try {
                if (!members.isJoined(own)) {
                    world.trace(() -> host + " joins again");
                    members.join(own, TIMINGS.detectionMs());
                }
            } catch (TomboloException e) {
                world.trace(() -> host + ": coordination service: " + e.getMessage());
            }
        }
    }

    private void beat() {
        session.loop().schedule(this::beat, HEARTBEAT_NS);
        long id = session.sessionId();
        long sentNs = world.scheduler().nowNs();
        session.send(new Request.Exists(SimEnsemble.PATHS.cluster(), false), reply -> {
            if ((reply.code() == Code.OK || reply.code() == Code.NONODE) && session.sessionId() == id && id != 0) {
                pass(id, sentNs);
            }
        });
    }

    private void pass(long id, long sentNs) {
        if (id != seenSession) {
            if (seenSession != 0) {
                events.accept(new RightEvent.SessionLost());
            }
            seenSession = id;
        }
        if (sentNs > seenSentNs) {
            seenSentNs = sentNs;
            events.accept(new RightEvent.HeartbeatConfirmed(sentNs, TIMINGS.sessionMs()));
        }
    }

    static HostRecord record(World world, SimHost host) {
        return new HostRecord(host.hostName(), world.machines().identity(host).hostUuid(), host.slot(),
                host.incarnation(), world.machines().identity(host).bootId(), world.machines().pid(host), "", 0,
                List.of("simulated"));
    }
}
