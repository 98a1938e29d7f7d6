package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HandoffPoint;
import java.util.ArrayList;
import java.util.List;

/// What is decided before a schedule begins, all of it by its seed.
///
/// @param switchPerMille how often the scheduler gives another actor the baton at a step
/// @param loseCoreIn as [Scheduler] has it
/// @param claims whether the driver claims a VM before it loads it
/// @param refusePerMille how often a state is found unusable on arrival
/// @param lossPerMille, duplicatePerMille of messages
/// @param migrations how many the user asks for
/// @param moves 0: no page moves
/// @param hot whether who has read that a VM is offered often loses its core with that
/// @param slow whether migrations are far enough apart for sessions to end between them
/// @param faults what goes wrong, and when
record Plan(int hosts, int vms, int pages, int vcpus, MemoryKind kind, int switchPerMille, int loseCoreIn,
        boolean claims,
        int refusePerMille, int lossPerMille, int duplicatePerMille, int migrations, int moves, boolean hot,
        boolean slow,
        List<Fault> faults) {
    static final int MAX_HOSTS = 3;
    static final int MAX_VMS = 2;
    static final int MAX_PAGES = 3;
    private static final int BUSY_MOVERS = 4;
    private static final long MS = 1_000_000;

    private static final HandoffPoint[] CRITICAL = {HandoffPoint.SOURCE_SAVED, HandoffPoint.SOURCE_OFFERED,
            HandoffPoint.TARGET_SEEN, HandoffPoint.TARGET_TAKEN, HandoffPoint.TARGET_CLAIMED, HandoffPoint.TARGET_OWNS};

    private static final Trouble[] OF_COORDINATION = {Trouble.ENSEMBLE_FOLLOWER_CUT, Trouble.ENSEMBLE_LEADER_CUT,
            Trouble.ENSEMBLE_LEADER_DEATH, Trouble.LEADER_PAUSE, Trouble.LEADER_CUT, Trouble.LEADER_SESSION_LOSS,
            Trouble.SESSION_LOSS, Trouble.CUT_FROM_COORDINATION};

    /// Whether the movers of a host get in each other's way, and its vCPUs in theirs.
    boolean busyMovers() {
        return moves >= BUSY_MOVERS;
    }

    /// What goes wrong.
    enum Trouble {
        /// The process dies, its host lives on.
        PROCESS_DEATH,
        /// The host dies, with its caches.
        HOST_DEATH,
        /// The process stands still.
        PAUSE,
        /// One thread of the process stands still: it has lost its core.
        STALL,
        /// The host's session ends, whatever it does.
        SESSION_LOSS,
        /// Somebody begins to fence the host.
        FENCE,
        /// The host and the coordination service do not hear each other.
        CUT_FROM_COORDINATION,
        /// Nobody hears the host but the coordination service.
        CUT_FROM_HOSTS,
        /// The leading coordinator dies.
        LEADER_DEATH,
        /// The leading coordinator stands still.
        LEADER_PAUSE,
        /// The leading coordinator and the coordination service do not hear each other.
        LEADER_CUT,
        /// The session of the leading coordinator ends, whatever it does.
        LEADER_SESSION_LOSS,
        /// The user cancels the migration that is under way.
        CANCEL,
        /// A server of the ensemble and its leader do not hear each other.
        ENSEMBLE_FOLLOWER_CUT,
        /// Nobody hears the ensemble's leader but its clients.
        ENSEMBLE_LEADER_CUT,
        /// The ensemble's leader dies, and comes back.
        ENSEMBLE_LEADER_DEATH
    }

    /// One fault: at a moment of a hand-off (that many of them later), or at a step; it hits the host that gets there.
    ///
    /// @param point null: at the step
    record Fault(Trouble trouble, HandoffPoint point, int occurrence, long step, long durationNs) {
    }

    static Plan of(Rng rng) {
        MemoryKind kind = rng.oneIn(2) ? MemoryKind.COHERENT : MemoryKind.VOLATILE;
        int[] switching = {500, 250, 120, 60, 30, 10};
        int count = rng.below(4);
        List<Fault> faults = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            faults.add(fault(rng, kind));
        }
        if (rng.oneIn(5)) {
            // Both sides of one hand-off at once.
            Trouble[] source = {Trouble.PROCESS_DEATH, Trouble.PAUSE, Trouble.STALL, Trouble.FENCE};
            Trouble[] target = {Trouble.STALL, Trouble.STALL, Trouble.PAUSE, Trouble.PROCESS_DEATH};
            faults.add(new Fault(source[rng.below(source.length)], CRITICAL[rng.below(2)], 0, 0, duration(rng)));
            faults.add(new Fault(target[rng.below(target.length)], CRITICAL[2 + rng.below(4)], 0, 0, duration(rng)));
        }
        boolean slow = rng.oneIn(5);
        for (int i = slow ? rng.below(3) : 0; i > 0; i--) {
            faults.add(new Fault(OF_COORDINATION[rng.below(OF_COORDINATION.length)],
                    rng.oneIn(2) ? CRITICAL[rng.below(CRITICAL.length)] : null, rng.below(2), rng.below(2_000),
                    rng.between(20 * MS, 500 * MS)));
        }
        int moves = rng.oneIn(2) ? rng.below(6) : 0;
        int loseCoreIn = rng.oneIn(3) ? rng.oneIn(2) ? 200 : 30 : 0;
        return new Plan(2 + rng.below(MAX_HOSTS - 1), rng.oneIn(4) ? 2 : 1, 1 + rng.below(MAX_PAGES),
                1 + rng.below(2), kind, switching[rng.below(moves >= BUSY_MOVERS ? 2 : switching.length)],
                moves >= BUSY_MOVERS ? 8 : loseCoreIn, rng.oneIn(3),
                rng.oneIn(4) ? 300 : 0, rng.oneIn(3) ? 60 : 0, rng.oneIn(3) ? 60 : 0, 1 + rng.below(4), moves,
                rng.oneIn(2), slow, List.copyOf(faults));
    }

    private static Fault fault(Rng rng, MemoryKind kind) {
        Trouble[] troubles = Trouble.values();
        Trouble trouble = troubles[rng.below(troubles.length)];
        if (rng.oneIn(3)) {
            trouble = Trouble.PROCESS_DEATH;
        }
        if (trouble == Trouble.PROCESS_DEATH && kind != MemoryKind.COHERENT && rng.oneIn(2)) {
            trouble = Trouble.HOST_DEATH;
        }
        if (rng.oneIn(4)) {
            trouble = rng.oneIn(2) ? Trouble.STALL : Trouble.PAUSE;
        }
        HandoffPoint[] points = rng.oneIn(2) ? HandoffPoint.values() : CRITICAL;
        boolean atPoint = rng.oneIn(2);
        return new Fault(trouble, atPoint ? points[rng.below(points.length)] : null, rng.below(3),
                rng.below(6) == 0 ? rng.below(8_000) : rng.below(2_500), duration(rng));
    }

    /// Every bound of the protocols is somewhere among them; half of them end about when a source takes back.
    private static long duration(Rng rng) {
        long[] durations = {100_000, 1 * MS, 20 * MS, 60 * MS, 120 * MS, 260 * MS};
        return rng.oneIn(2)
                ? durations[rng.below(durations.length)]
                : World.BOUNDS.source().takeBackNs() + rng.between(-60_000, 400_000);
    }
}
