package io.tombolo.chaos.sim;

import io.tombolo.coordinator.zk.IntentRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The coordination service as far as a hand-off needs it: sessions that expire, who leads and in which term, open
/// intents, live hosts. A write carries the term and is refused when it is not the present one.
///
/// A stand-in for the simulated ZooKeeper, with the same guarantees and none of its lapses.
final class SimCoordination {
    private static final long SESSION_NS = SimHost.TIMINGS.sessionMs() * 1_000_000L;
    private static final long TICK_NS = SimHost.TIMINGS.zooKeeperTickMs() * 1_000_000L;
    private static final long TIMEOUT_NS = 40_000_000;

    private final World world;
    private final List<SimProcess> sessions = new ArrayList<>();
    private final List<Long> heardNs = new ArrayList<>();
    private final TreeMap<Integer, IntentRecord> intents = new TreeMap<>();
    private SimCoordinator leader;
    private long term;
    private long sequence;

    SimCoordination(World world, SimProcess service) {
        this.world = world;
        world.scheduler().spawn(service, "coordination", () -> {
            while (true) {
                world.scheduler().sleep(TICK_NS);
                expire();
            }
        });
    }

    private void expire() {
        for (int i = 0; i < sessions.size(); i++) {
            if (world.scheduler().nowNs() - heardNs.get(i) > SESSION_NS) {
                drop(i--);
            }
        }
    }

    private void drop(int i) {
        SimProcess gone = sessions.remove(i);
        heardNs.remove(i);
        world.trace(() -> "session of " + gone + " expires");
        if (leader == gone) {
            leader = null;
        }
    }

    /// The session of a process ends now, whatever it does.
    void expireNow(SimProcess process) {
        int i = sessions.indexOf(process);
        if (i >= 0) {
            drop(i);
        }
    }

    /// A request to the service and its answer; either may be lost. `answer` is called at most once.
    private <T> void ask(SimProcess from, Supplier<T> question, Consumer<Optional<T>> answer) {
        boolean[] done = new boolean[1];
        Scheduler.Loop loop = world.loopOf(from);
        Consumer<Optional<T>> once = value -> {
            if (!done[0]) {
                done[0] = true;
                answer.accept(value);
            }
        };
        loop.schedule(() -> once.accept(Optional.empty()), TIMEOUT_NS);
        world.network().sendOnce(() -> {
            if (!world.cutFromCoordination(from) && from.alive()) {
                T value = question.get();
                world.network().sendOnce(() -> {
                    if (from.alive() && !world.cutFromCoordination(from)) {
                        loop.schedule(() -> once.accept(Optional.ofNullable(value)), 0);
                    }
                });
            }
        });
    }

    /// A new session.
    void join(SimProcess process) {
        ask(process, () -> {
            if (!sessions.contains(process)) {
                sessions.add(process);
                heardNs.add(world.scheduler().nowNs());
            }
            return true;
        }, _ -> {
        });
    }

    /// `answer` hears whether the session lives, if it hears anything.
    void heartbeat(SimProcess process, Consumer<Boolean> answer) {
        ask(process, () -> {
            int i = sessions.indexOf(process);
            if (i >= 0) {
                heardNs.set(i, world.scheduler().nowNs());
            }
            return i >= 0;
        }, alive -> alive.ifPresent(answer));
    }

    /// Leads if nobody does: the term, or -1.
    void lead(SimCoordinator coordinator, Consumer<Optional<Long>> answer) {
        ask(coordinator, () -> {
            if (leader == null && sessions.contains(coordinator)) {
                leader = coordinator;
                term++;
                return term;
            }
            return leader == coordinator ? term : -1L;
        }, answer);
    }

    /// The intents that are open, for the leader of that term; nothing otherwise.
    void intents(SimCoordinator coordinator, long ofTerm, Consumer<Optional<List<IntentRecord>>> answer) {
        ask(coordinator, () -> ofTerm == term ? List.copyOf(intents.values()) : null, answer);
    }

    void open(SimCoordinator coordinator, IntentRecord draft, Consumer<Optional<IntentRecord>> answer) {
        ask(coordinator, () -> {
            if (draft.term() != term || intents.containsKey(draft.vmSlot())) {
                return null;
            }
            sequence++;
            IntentRecord intent = new IntentRecord(draft.vm(), draft.vmSlot(), draft.from(), draft.fromSlot(),
                    draft.to(), draft.toSlot(), draft.epoch(), term, sequence, draft.nonce());
            intents.put(intent.vmSlot(), intent);
            return intent;
        }, answer);
    }

    /// Closes an intent; true if it is closed afterwards, false if the term is over.
    void close(SimCoordinator coordinator, long ofTerm, IntentRecord intent, Consumer<Optional<Boolean>> answer) {
        ask(coordinator, () -> {
            if (ofTerm != term) {
                return false;
            }
            IntentRecord present = intents.get(intent.vmSlot());
            if (present != null && present.seq() == intent.seq()) {
                intents.remove(intent.vmSlot());
            }
            return true;
        }, answer);
    }

    /// The hosts with a session.
    void hosts(SimProcess from, Consumer<Optional<List<SimHost>>> answer) {
        ask(from, this::hosts, answer);
    }

    private List<SimHost> hosts() {
        List<SimHost> hosts = new ArrayList<>();
        for (SimProcess process : sessions) {
            if (process instanceof SimHost host) {
                hosts.add(host);
            }
        }
        return hosts;
    }

    boolean anyIntent() {
        return !intents.isEmpty();
    }

    List<IntentRecord> open() {
        return List.copyOf(intents.values());
    }

    SimCoordinator leader() {
        return leader;
    }
}
