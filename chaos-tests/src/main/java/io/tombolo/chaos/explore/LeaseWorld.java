package io.tombolo.chaos.explore;

import io.tombolo.agent.right.RightState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.SlotWord;
import java.util.ArrayList;
import java.util.List;

/// One host that keeps its right to run one VM, and another that may take the VM over, as one value. Times are
/// relative: the present is always the same instant, [#NOW_NS], and when time passes what was before moves back.
record LeaseWorld(Words words, Keeper keeper, Guest guest, Around around) {
    static final long NOW_NS = 1L << 40;

    /// The words of the region that matter.
    ///
    /// @param owner owner word
    /// @param slot slot word of the host
    /// @param wrong what was done that must not be, null as long as nothing was
    record Words(long owner, long slot, String wrong) {
        Words owner(long word) {
            return new Words(word, slot, wrong);
        }

        Words slot(long word) {
            return new Words(owner, word, wrong);
        }

        Words wrong(String what) {
            return wrong != null ? this : new Words(owner, slot, what);
        }

        @Override
        public String toString() {
            return OwnerWord.describe(owner) + ", slot " + SlotWord.describe(slot);
        }
    }

    /// A task of the VM's control thread.
    enum Task {
        STOP, KILL, RENEW, RUN
    }

    /// @param generation of a renewal, else 0
    record Job(Task task, long generation) {
    }

    /// The right keeper's thread.
    ///
    /// @param state of the shipped core
    /// @param gateUntilNs the gate is open until then; `Long.MIN_VALUE` closed
    /// @param tasks what the control thread has still to do
    /// @param renewDone generation that the control thread has renewed and the keeper has not heard of, 0 none
    record Keeper(RightState state, long gateUntilNs, List<Job> tasks, long renewDone) {
        Keeper state(RightState next) {
            return new Keeper(next, gateUntilNs, tasks, renewDone);
        }

        Keeper gate(long untilNs) {
            return new Keeper(state, untilNs, tasks, renewDone);
        }

        Keeper renewDone(long generation) {
            return new Keeper(state, gateUntilNs, tasks, generation);
        }

        Keeper then(Task task, long generation) {
            Job job = new Job(task, generation);
            if (!tasks.isEmpty() && tasks.getLast().equals(job)) {
                return this;
            }
            List<Job> more = new ArrayList<>(tasks);
            more.add(job);
            return new Keeper(state, gateUntilNs, List.copyOf(more), renewDone);
        }

        /// Renewals are compared with the newest one only: that has number 1, what is older 0.
        Keeper canonical() {
            long newest = state.generation();
            if (newest <= 1 && tasks.stream().allMatch(job -> job.generation() <= 1)) {
                return this;
            }
            RightState renamed = new RightState(state.phase(), state.reason(), state.warned(), state.nowNs(),
                    state.lapsedAtNs(), state.heartbeatSentNs(), state.deadlineNs(), state.warnAtNs(),
                    state.slotLiveSeenNs(), state.supervisor(), state.supervisorLostNs(), 1, state.maySayStopped(),
                    state.endByNs());
            return new Keeper(renamed, gateUntilNs,
                    tasks.stream().map(job -> job.task() != Task.RENEW
                            ? job
                            : new Job(job.task(), job.generation() == newest ? 1 : 0)).toList(),
                    renewDone == newest ? 1 : 0);
        }

        Keeper taken() {
            return new Keeper(state, gateUntilNs, tasks.subList(1, tasks.size()), renewDone);
        }
    }

    /// Where the vCPU's thread is.
    enum Vcpu {
        STOPPED, STARTING, RUNNING
    }

    /// The guest and its vCPU.
    ///
    /// @param checkedNs time of its last check, in its cell
    /// @param wanted whether it is to run
    /// @param runEpoch epoch at which it may
    /// @param lapsed whether the right lapsed since the compare-and-set that gave that epoch; nobody stores it
    /// @param stale whether `RunRight` says so: the gate was closed since
    /// @param here whether this host still has the guest
    record Guest(Vcpu vcpu, long checkedNs, boolean wanted, long runEpoch, boolean lapsed, boolean stale,
            boolean here) {
        Guest vcpu(Vcpu next, long atNs) {
            return new Guest(next, atNs, wanted, runEpoch, lapsed, stale, here);
        }

        Guest wanted(boolean now) {
            return new Guest(vcpu, checkedNs, now, runEpoch, lapsed, stale, here);
        }

        Guest runs(long epoch) {
            return new Guest(vcpu, checkedNs, wanted, epoch, false, false, here);
        }

        Guest lapse() {
            return new Guest(vcpu, checkedNs, wanted, runEpoch, true, true, here);
        }

        Guest stale(boolean now) {
            return new Guest(vcpu, checkedNs, wanted, runEpoch, lapsed, now, here);
        }

        Guest gone() {
            return new Guest(Vcpu.STOPPED, 0, false, -1, false, false, false);
        }
    }

    /// What stands still, for any time.
    enum Still {
        NOTHING, VCPU, ALL
    }

    /// How far another host is with taking the VM over.
    enum Takeover {
        NONE, FENCED, TAKEN, CONFIRMED, RUNS
    }

    /// What is round the host.
    ///
    /// @param alive the process of the host
    /// @param still what of it stands still
    /// @param supervisor whether its supervisor answers
    /// @param petNs time in the pet under way, 0 when none is
    /// @param armedNs from when the watchdog counts
    /// @param heartbeatNs when the heartbeat under way was sent, 0 when none is
    record Around(boolean alive, Still still, boolean supervisor, long petNs, long armedNs, long heartbeatNs,
            Takeover takeover, int faults) {
        Around heartbeat(long sentNs) {
            return new Around(alive, still, supervisor, petNs, armedNs, sentNs, takeover, faults);
        }

        Around takeover(Takeover next) {
            return new Around(alive, still, supervisor, petNs, armedNs, heartbeatNs, next, faults);
        }

        Around supervisor(boolean now) {
            return new Around(alive, still, now, petNs, armedNs, heartbeatNs, takeover, faults);
        }

        Around watchdog(long pet, long armed) {
            return new Around(alive, still, supervisor, pet, armed, heartbeatNs, takeover, faults);
        }

        Around still(Still now) {
            return new Around(alive, now, supervisor, petNs, armedNs, heartbeatNs, takeover, faults);
        }

        Around dead() {
            return new Around(false, Still.NOTHING, true, 0, NOW_NS, 0, takeover, faults);
        }

        Around fault() {
            return new Around(alive, still, supervisor, petNs, armedNs, heartbeatNs, takeover, faults - 1);
        }
    }
}
