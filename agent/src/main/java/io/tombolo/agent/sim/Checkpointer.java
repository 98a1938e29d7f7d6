package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.PageWaits;
import io.tombolo.agent.pages.ProtectedPages;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.PageCheckpoint;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// Commits the intervals of a protected VM, on the threads of its vCPUs, see docs/protection.md. One vCPU commits at
/// the end of an instruction when the interval is over; several meet in a [VcpuBarrier], and the last to arrive
/// commits. The pause, from a vCPU's last instruction to its next, is recorded.
///
/// Nothing of it parks. A vCPU that stops, for whatever reason, is not waited for. One whose right lapses while it
/// waits stops; nothing is committed for its sake.
///
/// A commit that fails is the last: the VM is being taken over, and stops here for good ([#isLost]).
///
/// Each vCPU's methods are for its own thread; [#commitStopped] for whoever has stopped them all.
public final class Checkpointer {
    private static final long CHECK_NS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long YIELD_NS = TimeUnit.MICROSECONDS.toNanos(50);
    /// A vCPU reads the clock at each of this many ends of instructions only: reading it costs as much as an
    /// instruction.
    private static final int LOOKS_PER_CLOCK = 4;
    /// Cache lines between the vCPUs' own numbers.
    private static final int STRIDE_LONGS = 16;
    /// Commits whose dirty pages are part of the mean: a few seconds.
    private static final int MEAN_COMMITS = 512;

    private final PageCheckpoint checkpoint;
    private final ProtectedPages protection;
    private final VmPages pages;
    private final SimulatedState state;
    private final SimulatedStateCodec codec;
    private final LongSupplier ownerEpoch;
    private final long intervalNs;
    private final RightCheck right;
    private final PagedMemory[] memories;
    private final HeldReplies held;
    private final long[] looks;
    private final VcpuBarrier barrier = new VcpuBarrier();
    private final PageWaits pauses = new PageWaits();
    private volatile boolean lost;
    private volatile boolean broken;
    private volatile long lastNs;
    private volatile long earlyCommits;
    private volatile long lastDirty;
    private volatile double meanDirty;
    private int bytes;

    /// @param ownerEpoch the epoch of the owner word by which this host owns the VM, as the host believes it: never
    /// what
    ///                   the word happens to hold
    /// @param right      asked while a vCPU waits for the others
    public Checkpointer(ProtectedPages protection, VmPages pages, SimulatedState state, SimulatedStateCodec codec,
            LongSupplier ownerEpoch, long intervalNs, RightCheck right, PagedMemory[] memories, RequestQueue requests) {
        this.protection = requireNonNull(protection, "protection is null");
        this.checkpoint = protection.checkpoint();
        this.pages = requireNonNull(pages, "pages is null");
        this.state = requireNonNull(state, "state is null");
        this.codec = requireNonNull(codec, "codec is null");
        this.ownerEpoch = requireNonNull(ownerEpoch, "ownerEpoch is null");
        this.intervalNs = intervalNs;
        this.right = requireNonNull(right, "right is null");
        this.memories = requireNonNull(memories, "memories is null").clone();
        this.looks = new long[(memories.length + 1) * STRIDE_LONGS];
        this.held = new HeldReplies(requireNonNull(requests, "requests is null"));
    }

    /// The VM is protected from its next start on: the checkpoint is at its open interval.
    public void begin() {
        protection.next();
        for (int vcpu = 0; vcpu < memories.length; vcpu++) {
            memories[vcpu].protect(new FirstWrites(pages, protection, vcpu, right));
        }
        lastNs = System.nanoTime();
    }

    // ---- the vCPUs' side ----

    /// Before the first instruction of a stretch.
    void enters() {
        barrier.enter();
    }

    /// After the last instruction of a stretch.
    ///
    /// @param whole whether that instruction was executed to its end; if not, nothing is committed any more
    void leaves(boolean whole) {
        if (!whole) {
            broken = true;
        }
        barrier.leave();
    }

    /// Between two instructions. False if the vCPU is to stop: the commit failed, or its right lapsed; [#leaves] is not
    /// called then.
    boolean pass(int vcpu) {
        boolean raised = memories.length > 1 && barrier.isRaised();
        boolean now = raised || checkpoint.mustCommit() || held.areTooMany();
        if (!now && ++looks[(vcpu + 1) * STRIDE_LONGS] % LOOKS_PER_CLOCK != 0) {
            return true;
        }
        long sinceNs = System.nanoTime();
        if (!now && sinceNs - lastNs < intervalNs) {
            return true;
        }
        if (memories.length == 1) {
            return commitAlone(sinceNs);
        }
        if (!raised) {
            barrier.raise();
        }
        return meet(vcpu, sinceNs);
    }

    private void commitAll() {
        var _ = commit(ownerEpoch(), false);
    }

    private long ownerEpoch() {
        return ownerEpoch.getAsLong();
    }

    private boolean commitAlone(long now) {
        boolean won = commit(ownerEpoch(), false);
        memories[0].forgetWrites();
        pauses.add(System.nanoTime() - now);
        if (!won) {
            barrier.leave();
        }
        return won;
    }

    private boolean meet(int vcpu, long sinceNs) {
        Waiting waiting = new Waiting(vcpu, sinceNs);
        boolean in = barrier.meet(this::commitAll, waiting);
        if (waiting.entriesChanged) {
            memories[vcpu].forget();
        } else {
            memories[vcpu].forgetWrites();
        }
        pauses.add(System.nanoTime() - sinceNs);
        if (in && (lost || broken)) {
            barrier.leave();
            return false;
        }
        return in;
    }

    /// What a vCPU does while it waits for the others: passes quiescent states, so that no first write waits for it,
    /// and looks at its right.
    private final class Waiting implements java.util.function.BooleanSupplier {
        private final int vcpu;
        private final long sinceNs;
        private long checkedNs;
        private boolean entriesChanged;

        Waiting(int vcpu, long sinceNs) {
            this.vcpu = vcpu;
            this.sinceNs = sinceNs;
            this.checkedNs = sinceNs;
        }

        // Yielding is right here: the vCPU it waits for may need this core.
        @Override
        @SuppressWarnings("ThreadPriorityCheck")
        public boolean getAsBoolean() {
            entriesChanged |= pages.shootdown().quiescent(vcpu);
            long now = System.nanoTime();
            if (now - checkedNs > CHECK_NS) {
                checkedNs = now;
                if (!right.check(vcpu)) {
                    return false;
                }
            }
            if (now - sinceNs > YIELD_NS) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
            return true;
        }
    }

    // ---- commits ----

    /// By whoever has stopped all vCPUs, or by the vCPU that is last in the barrier. False: nothing may leave.
    private boolean commit(long epoch, boolean paused) {
        if (lost || broken) {
            return false;
        }
        long dirty = checkpoint.dirtyPages();
        bytes = codec.encode(state, checkpoint.next().payload());
        if (!checkpoint.commit(epoch, bytes, SimulatedStateCodec.SCHEMA, paused)) {
            lost = true;
            return false;
        }
        protection.next();
        held.leave();
        count(dirty);
        return true;
    }

    /// By whoever commits, one at a time.
    private void count(long dirty) {
        long now = System.nanoTime();
        if (now - lastNs < intervalNs) {
            long early = earlyCommits + 1;
            earlyCommits = early;
        }
        lastNs = now;
        lastDirty = dirty;
        double mean = meanDirty;
        meanDirty = mean + (dirty - mean) / Math.clamp(checkpoint.commits(), 1, MEAN_COMMITS);
    }

    /// Commits the state of a VM whose vCPUs are all stopped; what waited for it leaves. False if the VM is being taken
    /// over.
    ///
    /// @param epoch  of the owner word by which this host owns it
    /// @param paused whether the VM stays stopped for its users
    public boolean commitStopped(long epoch, boolean paused) {
        return commit(epoch, paused);
    }

    /// Length of the state in the last commit.
    public int stateBytes() {
        return bytes;
    }

    /// No commit will cover what still waits. The vCPUs are stopped or gone.
    public void fail(Supplier<? extends RuntimeException> why) {
        held.fail(why);
    }

    Replies replies() {
        return held;
    }

    /// Whether a commit has failed: this host has lost the VM.
    public boolean isLost() {
        return lost;
    }

    /// The VM is not protected any more; no vCPU executes.
    public void end() {
        for (PagedMemory memory : memories) {
            memory.protect(null);
        }
    }

    // ---- what there is to show ----

    public PageCheckpoint checkpoint() {
        return checkpoint;
    }

    public long intervalNs() {
        return intervalNs;
    }

    /// Pauses of the vCPUs for commits, each one's on its own.
    public PageWaits pauses() {
        return pauses;
    }

    /// Commits before the interval was over, for want of frames or because many replies waited.
    public long earlyCommits() {
        return earlyCommits;
    }

    /// Pages written in the last interval.
    public long lastDirty() {
        return lastDirty;
    }

    /// Pages written per interval, the mean over the last some hundred.
    public long meanDirty() {
        return Math.round(meanDirty);
    }
}
