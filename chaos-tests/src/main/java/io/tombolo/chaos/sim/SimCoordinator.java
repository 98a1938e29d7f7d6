package io.tombolo.chaos.sim;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.HandoffTimings;
import io.tombolo.coordinator.OwnerView;
import io.tombolo.coordinator.RegionOwnerView;
import io.tombolo.coordinator.VmRecords;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.LeaderRecord;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.Leadership;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/// A coordinator: the shipped [Leadership], [LeaderWrites], [Membership] and [VmRecords] on a session of this world,
/// and a view of the region; in each term a [SimLeader]. It never stores to the region.
final class SimCoordinator extends SimProcess {
    static final HandoffTimings TIMINGS = new HandoffTimings(10);

    private final World world;
    private final Scheduler.Loop net;
    private final SimSession session;
    private final LeaderWrites writes;
    private final Membership membership;
    private final OwnerView region;
    private final VmRecords records;
    private final Leadership leadership;
    private SimLeader leader;

    SimCoordinator(World world, int number) {
        super("coordinator" + number);
        this.world = world;
        this.net = world.scheduler().new Loop(this, this + "/net");
        this.session = new SimSession(world, this, net, number);
        ZkConnection zk = ZkConnection.over(session, SimEnsemble.PATHS);
        this.writes = new LeaderWrites(zk);
        this.membership = new Membership(zk, world.scheduler()::nowNs, ms -> world.scheduler().sleep(ms * 1_000_000));
        this.region = RegionOwnerView.over(Region.over(new HostMemory(world, this), Path.of("simulated")));
        this.records = new VmRecords(zk, writes, membership, region);
        Scheduler.Loop callbacks = world.scheduler().new Loop(this, this + "/leadership");
        this.leadership = new Leadership(zk, new LeaderRecord(name(), "", 0), new Terms(),
                new SimLatch(world, session, name()), new Callbacks(callbacks));
        leadership.start();
    }

    private record Callbacks(Scheduler.Loop loop) implements Leadership.Turns {
        @Override
        public void run(Runnable task) {
            loop.execute(task);
        }

        @Override
        public void runLater(Runnable task, long delayMs) {
            loop.schedule(task, delayMs * 1_000_000);
        }

        @Override
        public void close() {
            loop.shutdown();
        }
    }

    private final class Terms implements Leadership.Listener {
        @Override
        public void elected(long term) {
            world.trace(() -> SimCoordinator.this + " leads in term " + term);
            leader = new SimLeader(world, SimCoordinator.this, term);
            leader.start();
        }

        @Override
        public void deposed(long term) {
            world.trace(() -> SimCoordinator.this + " does not lead any more, term " + term);
            if (leader != null) {
                leader.close();
            }
            leader = null;
        }
    }

    /// The term it leads with, as it believes; 0: none.
    long term() {
        return alive() && leader != null ? leader.term() : 0;
    }

    SimSession session() {
        return session;
    }

    LeaderWrites writes() {
        return writes;
    }

    Membership membership() {
        return membership;
    }

    OwnerView region() {
        return region;
    }

    VmRecords records() {
        return records;
    }

    // ---- what users ask of it

    /// Something that is asked of the leader, on an actor of its own.
    private interface Asked {
        void of(SimLeader leader);
    }

    /// What somebody waits for who has asked.
    static final class Answer {
        private boolean there;

        boolean there() {
            return there;
        }
    }

    private Answer ask(String what, Asked asked) {
        world.trace(() -> "user asks " + this + ": " + what);
        Answer answer = new Answer();
        world.scheduler().spawn(this, this + "/" + what, () -> {
            try {
                leadership.requireTerm();
                if (leader != null) {
                    asked.of(leader);
                }
                world.trace(() -> this + ": " + what + ": answered");
            } catch (TomboloException e) {
                world.trace(() -> this + ": " + what + ": " + e.code() + " " + e.getMessage());
            } finally {
                answer.there = true;
            }
        });
        return answer;
    }

    Answer create(VmSpec spec, String host) {
        return ask("create " + spec.name(), now -> now.create(spec, host));
    }

    Answer destroy(String vm) {
        return ask("destroy " + vm, now -> now.destroy(vm));
    }

    Answer migrate(String vm, String toHost) {
        return ask("migrate " + vm + " to " + toHost, now -> now.migrate(vm, toHost));
    }

    Answer transit(String vm, String toHost) {
        return ask("transit " + vm + " to " + toHost, now -> now.transit(vm, toHost));
    }

    void cancelAll() {
        if (leader != null) {
            leader.cancelAll();
        }
    }

    // ---- calls to agents

    /// Calls the agent that the host's record names; after AgentLinks. The answer comes on this process's own loop.
    void call(String host, AgentRequest request, long timeoutMs, BiConsumer<Reply, Throwable> answer) {
        Optional<HostRecord> record;
        try {
            record = membership.host(host);
        } catch (TomboloException e) {
            answer.accept(null, e);
            return;
        }
        if (record.isEmpty()) {
            answer.accept(null, TomboloException.error(CoordinatorError.HOST_DEAD, "the host has no live agent")
                    .fact("host", host).next("start it").build());
            return;
        }
        world.network().call(this, net, host, request, TimeUnit.MILLISECONDS.toNanos(timeoutMs), answer);
    }

    /// The same for who waits for the answer.
    Reply await(String host, AgentRequest request, long timeoutMs) {
        Scheduler.Actor me = world.scheduler().current();
        Reply[] reply = new Reply[1];
        Throwable[] failure = new Throwable[1];
        call(host, request, timeoutMs, (answer, why) -> {
            reply[0] = answer;
            failure[0] = why;
            me.wake();
        });
        while (reply[0] == null && failure[0] == null) {
            world.scheduler().parkForever();
        }
        switch (failure[0]) {
            case null -> {
                return reply[0];
            }
            case TomboloException known -> throw known;
            case Network.Unreachable away -> throw TomboloException
                    .error(CoordinatorError.RPC_TIMEOUT, "the agent did not answer").cause(away).build();
            case Throwable other -> throw new IllegalStateException(other);
        }
    }
}
