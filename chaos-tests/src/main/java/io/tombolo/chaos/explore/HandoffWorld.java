package io.tombolo.chaos.explore;

import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.TargetCore;
import io.tombolo.coordinator.HandoffEffect;
import io.tombolo.coordinator.HandoffState;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.region.OwnerWord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Hosts, coordinators, the region's words, ZooKeeper's records and what is under way, as one value. Host `i` has slot
/// `i + 1`.
record HandoffWorld(Region region, Host a, Host b, Host c, Leaders leaders, Messages messages, Budget budget) {
    static final int HOSTS = 3;

    Host host(int index) {
        return switch (index) {
            case 0 -> a;
            case 1 -> b;
            default -> c;
        };
    }

    static String name(int host) {
        return String.valueOf((char) ('A' + host));
    }

    /// The words of the VM's slot that matter.
    ///
    /// @param inFlight operations that entered the gate
    /// @param lastRan epoch at which the guest executed last; nobody stores it, it tells an old state from the newest
    /// @param wrong what was done that must not be, null as long as nothing was
    record Region(long owner, long from, long armed, long spin, boolean closed, int inFlight, Blob blob0, Blob blob1,
            long lastRan, String wrong) {
        Blob blob(long epoch) {
            return (epoch & 1) == 0 ? blob0 : blob1;
        }

        Region owner(long word) {
            return new Region(word, from, armed, spin, closed, inFlight, blob0, blob1, lastRan, wrong);
        }

        Region from(long word) {
            return new Region(owner, word, armed, spin, closed, inFlight, blob0, blob1, lastRan, wrong);
        }

        Region armed(long word) {
            return new Region(owner, from, word, spin, closed, inFlight, blob0, blob1, lastRan, wrong);
        }

        Region spin(long word) {
            return new Region(owner, from, armed, word, closed, inFlight, blob0, blob1, lastRan, wrong);
        }

        Region gate(boolean nowClosed, int count) {
            return new Region(owner, from, armed, spin, nowClosed, count, blob0, blob1, lastRan, wrong);
        }

        Region blob(long epoch, Blob blob) {
            return (epoch & 1) == 0
                    ? new Region(owner, from, armed, spin, closed, inFlight, blob, blob1, lastRan, wrong)
                    : new Region(owner, from, armed, spin, closed, inFlight, blob0, blob, lastRan, wrong);
        }

        Region ran(long epoch) {
            return new Region(owner, from, armed, spin, closed, inFlight, blob0, blob1, epoch, wrong);
        }

        Region wrong(String what) {
            return wrong != null
                    ? this
                    : new Region(owner, from, armed, spin, closed, inFlight, blob0, blob1, lastRan, what);
        }

        @Override
        public String toString() {
            return OwnerWord.describe(owner) + " from=" + Long.toHexString(from) + " armed=" + Long.toHexString(armed)
                    + " spin=" + Long.toHexString(spin) + (closed ? " gate closed " : " gate open ") + inFlight
                    + " blobs=" + blob0 + blob1 + " lastRan=" + lastRan;
        }
    }

    /// A metadata slot: the epoch of the offer it is for, and the epoch at which the guest in it executed last.
    record Blob(long epoch, boolean valid, long version) {
        static final Blob NONE = new Blob(0, false, 0);
    }

    /// Whether a host may run VMs, as its right keeper has it.
    enum Right {
        HELD, LAPSED, RENEWING, FENCED
    }

    /// One host.
    ///
    /// @param registered whether ZooKeeper has its record
    /// @param term the highest a leader came with
    /// @param cancelled the newest intent that was cancelled here
    /// @param vm what it has of the VM, null when nothing
    record Host(boolean alive, boolean registered, Right right, long term, long cancelled, Hosted vm) {
        Host vm(Hosted next) {
            return new Host(alive, registered, right, term, cancelled, next);
        }

        Host right(Right next) {
            return new Host(alive, registered, next, term, cancelled, vm);
        }

        Host registered(boolean next) {
            return new Host(alive, next, right, term, cancelled, vm);
        }

        Host term(long next) {
            return new Host(alive, registered, right, next, cancelled, vm);
        }

        Host cancelled(long next) {
            return new Host(alive, registered, right, term, Math.max(cancelled, next), vm);
        }
    }

    /// What one host has of the VM, as `HostedVm` keeps it.
    ///
    /// @param source null when there is no guest that runs or ran here
    /// @param target null when nothing is prepared
    /// @param exec whether the guest executes
    /// @param version epoch at which the guest that is here executed last
    /// @param runEpoch epoch at which it may
    /// @param lapsed whether the right lapsed since the compare-and-set that gave that epoch; nobody stores it
    /// @param stale whether `RunRight` says so: the gate was closed since what it counts from
    /// @param cancelled newest intent cancelled
    /// @param todo what the control thread has still to do before it takes anything else
    /// @param queue what waits for the control thread
    /// @param incoming the thread of a prepared guest, null when none
    /// @param orderTerm, prepareTerm whom to answer
    /// @param windowSeq intent whose window the source waits for, 0 when none
    record Hosted(SourceCore.State source, TargetCore.State target, boolean exec, long version, long runEpoch,
            boolean lapsed, boolean stale, long cancelled, List<Op> todo, List<Op> queue, Incoming incoming,
            long orderTerm,
            long prepareTerm, long windowSeq) {
        static final Hosted NOTHING = new Hosted(null, null, false, 0, -1, false, false, 0, List.of(), List.of(), null,
                0, 0,
                0);

        Hosted source(SourceCore.State next) {
            return new Hosted(next, target, exec, version, runEpoch, lapsed, stale, cancelled, todo, queue, incoming,
                    orderTerm, prepareTerm, windowSeq);
        }

        Hosted target(TargetCore.State next) {
            return new Hosted(source, next, exec, version, runEpoch, lapsed, stale, cancelled, todo, queue, incoming,
                    orderTerm, prepareTerm, windowSeq);
        }

        Hosted exec(boolean next) {
            return new Hosted(source, target, next, version, runEpoch, lapsed, stale, cancelled, todo, queue, incoming,
                    orderTerm, prepareTerm, windowSeq);
        }

        Hosted guest(long newVersion, long newRunEpoch, boolean nowLapsed) {
            return new Hosted(source, target, exec, newVersion, newRunEpoch, nowLapsed, stale, cancelled, todo, queue,
                    incoming, orderTerm, prepareTerm, windowSeq);
        }

        Hosted stale(boolean now) {
            return new Hosted(source, target, exec, version, runEpoch, lapsed, now, cancelled, todo, queue, incoming,
                    orderTerm, prepareTerm, windowSeq);
        }

        Hosted cancelled(long seq) {
            return new Hosted(source, target, exec, version, runEpoch, lapsed, stale, Math.max(cancelled, seq), todo,
                    queue,
                    incoming, orderTerm, prepareTerm, windowSeq);
        }

        Hosted todo(List<Op> next) {
            return new Hosted(source, target, exec, version, runEpoch, lapsed, stale, cancelled, List.copyOf(next),
                    queue,
                    incoming, orderTerm, prepareTerm, windowSeq);
        }

        Hosted then(Op op) {
            List<Op> more = new ArrayList<>(todo);
            more.add(op);
            return todo(more);
        }

        Hosted queue(List<Op> next) {
            return new Hosted(source, target, exec, version, runEpoch, lapsed, stale, cancelled, todo,
                    List.copyOf(next),
                    incoming, orderTerm, prepareTerm, windowSeq);
        }

        Hosted enqueue(Op op) {
            List<Op> more = new ArrayList<>(queue);
            more.add(op);
            return queue(more);
        }

        Hosted incoming(Incoming next) {
            return new Hosted(source, target, exec, version, runEpoch, lapsed, stale, cancelled, todo, queue, next,
                    orderTerm,
                    prepareTerm, windowSeq);
        }

        Hosted answerTo(long order, long prepare, long window) {
            return new Hosted(source, target, exec, version, runEpoch, lapsed, stale, cancelled, todo, queue, incoming,
                    order,
                    prepare, window);
        }
    }

    /// Where the thread of a prepared guest is.
    enum At {
        WAITS, SPINS, SEEN, TAKEN, CLAIMED, REFUSES, OWNS, ENDED
    }

    /// The thread of a prepared guest: `IncomingVm` and the loop round it.
    ///
    /// @param prepared epoch that the preparation is for
    /// @param word the offer seen, or what it was made into
    /// @param version of the state taken
    /// @param asked a window was asked for
    /// @param killed the guest was discarded meanwhile
    record Incoming(At at, long intent, long prepared, long word, long version, boolean asked, boolean killed) {
        Incoming at(At next) {
            return new Incoming(next, intent, prepared, word, version, asked, killed);
        }

        Incoming holds(At next, long newWord, long newVersion) {
            return new Incoming(next, intent, prepared, newWord, newVersion, asked, killed);
        }

        Incoming asked(boolean next) {
            return new Incoming(at, intent, prepared, word, version, next, killed);
        }

        Incoming kill() {
            return new Incoming(at, intent, prepared, word, version, asked, true);
        }
    }

    /// One thing that a control thread does without being interrupted by anything but death.
    enum Do {
        CLOSE_GATE, STORE_ARMED, CLEAR_ARMED, OPEN_GATE, ASK_WINDOW, STORE_FROM, SAVE, PUBLISH, //
        OFFER, RESUME, TAKE_BACK, LOOK, REAP, LEAVE, ANSWER, PRELAUNCH, ARMED, REFUSED, SPIN, //
        DISCARD, CLEAR_MARK, ADOPT, STOP_GUEST, CANCELLED, WINDOW_PASSED, RIGHT_LAPSED, RENEW, //
        RUN_RENEWED, RUNNING, GIVEN_BACK, TELL_PASSED
    }

    /// @param a, b what it needs
    record Op(Do kind, long a, long b) {
        static Op of(Do kind) {
            return new Op(kind, 0, 0);
        }

        static Op of(Do kind, long a, long b) {
            return new Op(kind, a, b);
        }
    }

    /// One coordinator that carries a hand-off out.
    ///
    /// @param closing the intent is to be closed
    record Runner(long term, HandoffState state, HandoffEffect.Close closing) {
    }

    /// Coordinators, and what ZooKeeper has of them.
    ///
    /// @param term of the present leader
    /// @param current what the present leader carries out, null when nothing
    /// @param old what a leader carries out that has been replaced and does not know, null when nothing
    /// @param intent the open one, null when none
    /// @param seq of the newest intent
    /// @param moves migrations that may still be asked for
    record Leaders(long term, Runner current, Runner old, IntentRecord intent, long seq, int moves) {
        Leaders current(Runner next) {
            return new Leaders(term, next, old, intent, seq, moves);
        }

        Leaders old(Runner next) {
            return new Leaders(term, current, next, intent, seq, moves);
        }

        Leaders closed() {
            return new Leaders(term, current, old, null, seq, moves);
        }
    }

    /// What a message is. A refusal is none: whoever waits may give up at any time, which is the same to it.
    enum Kind {
        PREPARE, SWITCH, CANCEL, FINISH, OPEN_WINDOW, WINDOW_PASSED, PREPARED, SWITCHED, CANCELLED, FINISHED
    }

    /// A message under way.
    ///
    /// @param host whom it is for; of an answer: who sent it
    /// @param other the other host, where it matters
    record Message(Kind kind, long term, long seq, long epoch, int host, int other,
            boolean flag) implements Comparable<Message> {
        boolean isRequest() {
            return kind.compareTo(Kind.OPEN_WINDOW) <= 0;
        }

        boolean forHost() {
            return kind.compareTo(Kind.WINDOW_PASSED) <= 0;
        }

        @Override
        public int compareTo(Message o) {
            int c = kind.compareTo(o.kind);
            c = c != 0 ? c : Long.compare(term, o.term);
            c = c != 0 ? c : Long.compare(seq, o.seq);
            c = c != 0 ? c : Long.compare(epoch, o.epoch);
            c = c != 0 ? c : Integer.compare(host, o.host);
            c = c != 0 ? c : Integer.compare(other, o.other);
            return c != 0 ? c : Boolean.compare(flag, o.flag);
        }
    }

    /// What is under way, in any order; two that are the same count as one.
    record Messages(List<Message> all) {
        static final Messages NONE = new Messages(List.of());

        Messages plus(Message message) {
            int at = Collections.binarySearch(all, message);
            if (at >= 0) {
                return this;
            }
            List<Message> more = new ArrayList<>(all);
            more.add(-at - 1, message);
            return new Messages(List.copyOf(more));
        }

        Messages minus(Message message) {
            List<Message> fewer = new ArrayList<>(all);
            fewer.remove(message);
            return new Messages(List.copyOf(fewer));
        }
    }

    /// What may still go wrong.
    ///
    /// @param faults how many more
    /// @param claims whether the driver claims the VM before it loads
    record Budget(int faults, boolean claims) {
        Budget fault() {
            return new Budget(faults - 1, claims);
        }
    }
}
