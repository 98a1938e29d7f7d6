package io.tombolo.agent.pages;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// Every claim about memory order in [Shootdown] and in the protocol of a page-table entry, as a litmus test for
/// jcstress. One page and one vCPU; the entry is 0 with the old frame and 1 when it is marked or names the new one, as
/// the vCPU sees it. `docs/hacking.md` has the command for a long run; [ShootdownLitmusTest] makes a short one.
///
/// Tests whose name begins with Broken leave one thing out and must show what the others forbid.
public final class ShootdownLitmus {
    private static final int OLD = 0;
    private static final int NEW = 1;
    private static final int PUBLISHED = 2;
    /// In place of what was copied: the shoot-down was not over.
    private static final int WAITS = 2;
    /// In place of what was read: the vCPU did not use the new frame.
    private static final int NOT_READ = 2;

    private ShootdownLitmus() {
    }

    /// An entry, the two frames that it may name, and one vCPU.
    public static class Page {
        private static final VarHandle ENTRY;

        static {
            try {
                ENTRY = MethodHandles.lookup().findVarHandle(Page.class, "entry", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        final Shootdown shootdown = new Shootdown(1);
        final PageBits bits = new PageBits(1);
        int oldFrame;
        int newFrame;
        // Read and written through ENTRY only.
        @SuppressWarnings("UnusedVariable")
        private int entry;

        /// Not marked.
        Page() {
            this(OLD);
        }

        Page(int entry) {
            this.entry = entry;
        }

        /// As a vCPU does.
        final int read() {
            return (int) ENTRY.getAcquire(this);
        }

        /// As a mover does.
        final void change() {
            ENTRY.compareAndSet(this, OLD, NEW);
        }

        /// As a vCPU that has waited long enough for a marked page.
        final boolean takeBack() {
            return ENTRY.compareAndSet(this, NEW, OLD);
        }

        /// As a mover after its copy of a marked page.
        final boolean publish() {
            return ENTRY.compareAndSet(this, NEW, PUBLISHED);
        }

        /// After entries were changed, or a mark was cleared: whether no vCPU uses what it read before.
        final boolean isShotDown() {
            return shootdown.isPast(shootdown.begin());
        }
    }

    /// A vCPU comes online while a mover marks: of the two, at least one sees the other.
    @JCStressTest
    @State
    @Outcome(id = "0, 1", expect = FORBIDDEN, desc = "The vCPU uses the old frame and the mover copies it.")
    @Outcome(expect = ACCEPTABLE, desc = "One has seen the other.")
    public static class Online extends Page {
        @Actor
        public void vcpu(II_Result r) {
            shootdown.online(0);
            r.r1 = read();
        }

        @Actor
        public void mover(II_Result r) {
            change();
            r.r2 = isShotDown() ? 1 : 0;
        }
    }

    /// The same between two slices, where the vCPU makes no fence.
    @JCStressTest
    @State
    @Outcome(id = "0, 1", expect = FORBIDDEN, desc = "The vCPU uses the old frame in its next slice.")
    @Outcome(expect = ACCEPTABLE, desc = "One has seen the other.")
    public static class Quiescent extends Page {
        public Quiescent() {
            shootdown.online(0);
        }

        @Actor
        public void vcpu(II_Result r) {
            shootdown.quiescent(0);
            r.r1 = read();
        }

        @Actor
        public void mover(II_Result r) {
            change();
            r.r2 = isShotDown() ? 1 : 0;
        }
    }

    /// A vCPU takes a page back and writes to it while the mover copies it: the copy is not used.
    @JCStressTest
    @State
    @Outcome(id = {"1, 0", "1, 1"}, expect = FORBIDDEN, desc = "Both have the page: a write is lost.")
    @Outcome(id = "0, 1", expect = FORBIDDEN, desc = "The copy has a write that was not made.")
    @Outcome(expect = ACCEPTABLE, desc = "One of them has the page.")
    public static class TakeBack extends Page {
        public TakeBack() {
            super(NEW);
        }

        @Actor
        public void vcpu(II_Result r) {
            r.r1 = takeBack() ? 1 : 0;
            if (r.r1 == 1) {
                oldFrame = 1;
            }
        }

        @Actor
        public void mover(II_Result r) {
            int copy = oldFrame;
            r.r2 = publish() ? copy : WAITS;
        }
    }

    /// What a slice wrote is in the copy that is made after the slice has ended.
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "A write is lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Copied after the write, or not yet.")
    public static class WriteBeforeQuiescent extends Page {
        public WriteBeforeQuiescent() {
            shootdown.online(0);
        }

        @Actor
        public void vcpu() {
            oldFrame = 1;
            shootdown.quiescent(0);
        }

        @Actor
        public void mover(II_Result r) {
            change();
            r.r1 = isShotDown() ? oldFrame : WAITS;
        }
    }

    /// The same when the vCPU stops, or waits for a page.
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "A write is lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Copied after the write, or not yet.")
    public static class WriteBeforeOffline extends Page {
        public WriteBeforeOffline() {
            shootdown.online(0);
        }

        @Actor
        public void vcpu() {
            oldFrame = 1;
            shootdown.offline(0);
        }

        @Actor
        public void mover(II_Result r) {
            change();
            r.r1 = isShotDown() ? oldFrame : WAITS;
        }
    }

    /// A whole stretch of a vCPU beside a move: its write is in the copy, or went to nowhere else than the old frame
    /// before the copy.
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "The vCPU wrote to the old frame, and the copy does not have it.")
    @Outcome(expect = ACCEPTABLE, desc = "No write is lost.")
    public static class Stretch extends Page {
        @Actor
        public void vcpu(II_Result r) {
            shootdown.online(0);
            r.r1 = read();
            if (r.r1 == OLD) {
                oldFrame = 1;
            }
            shootdown.offline(0);
        }

        @Actor
        public void mover(II_Result r) {
            change();
            r.r2 = isShotDown() ? oldFrame : WAITS;
        }
    }

    /// Whoever sees the new entry sees the copied bytes.
    @JCStressTest
    @State
    @Outcome(id = "1, 0", expect = FORBIDDEN, desc = "The vCPU reads what was in the new frame before the copy.")
    @Outcome(expect = ACCEPTABLE, desc = "The old frame, or the copied bytes.")
    public static class Publish extends Page {
        @Actor
        public void vcpu(II_Result r) {
            r.r1 = read();
            r.r2 = r.r1 == NEW ? newFrame : NOT_READ;
        }

        @Actor
        public void mover() {
            newFrame = 1;
            VarHandle.fullFence();
            change();
        }
    }

    /// Dirty is cleared in order to copy, in the middle of a slice: a write that is not in the copy is marked.
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "A write is neither copied nor marked.")
    @Outcome(expect = ACCEPTABLE, desc = "Copied, marked, or not over yet.")
    public static class DirtyInASlice extends Page {
        public DirtyInASlice() {
            bits.written(0);
            shootdown.online(0);
        }

        @Actor
        public void vcpu() {
            bits.written(0);
            oldFrame = 1;
            shootdown.quiescent(0);
        }

        @Actor
        public void copier(II_Result r) {
            bits.clear(0, PageBits.DIRTY);
            r.r1 = isShotDown() ? oldFrame : WAITS;
        }

        @Arbiter
        public void after(II_Result r) {
            r.r2 = bits.isDirty(0) ? 1 : 0;
        }
    }

    /// The same while the vCPU comes online.
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "A write is neither copied nor marked.")
    @Outcome(expect = ACCEPTABLE, desc = "Copied, marked, or not over yet.")
    public static class DirtyWhileComingOnline extends Page {
        public DirtyWhileComingOnline() {
            bits.written(0);
        }

        @Actor
        public void vcpu() {
            shootdown.online(0);
            bits.written(0);
            oldFrame = 1;
            shootdown.offline(0);
        }

        @Actor
        public void copier(II_Result r) {
            bits.clear(0, PageBits.DIRTY);
            r.r1 = isShotDown() ? oldFrame : WAITS;
        }

        @Arbiter
        public void after(II_Result r) {
            r.r2 = bits.isDirty(0) ? 1 : 0;
        }
    }

    /// [Online] with a vCPU that makes no fence after it has stored its word.
    @JCStressTest
    @State
    @Outcome(id = "0, 1", expect = ACCEPTABLE_INTERESTING, desc = "What the fence is for.")
    @Outcome(expect = ACCEPTABLE, desc = "One has seen the other.")
    public static class BrokenOnlineWithoutFence extends Page {
        private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
        private static final int SEEN = 16;

        // On a line of its own, as the words of a Shootdown are.
        private final long[] words = new long[3 * SEEN];

        public BrokenOnlineWithoutFence() {
            words[SEEN] = Long.MAX_VALUE;
        }

        @Actor
        public void vcpu(II_Result r) {
            WORD.setRelease(words, SEEN, 0L);
            r.r1 = read();
        }

        @Actor
        public void mover(II_Result r) {
            change();
            VarHandle.fullFence();
            r.r2 = (long) WORD.getAcquire(words, SEEN) >= 1 ? 1 : 0;
        }
    }

    /// [DirtyInASlice] with a copier that makes no shoot-down.
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = ACCEPTABLE_INTERESTING, desc = "What the shoot-down is for.")
    @Outcome(expect = ACCEPTABLE, desc = "Copied or marked.")
    public static class BrokenDirtyWithoutShootdown extends Page {
        public BrokenDirtyWithoutShootdown() {
            bits.written(0);
        }

        @Actor
        public void vcpu() {
            bits.written(0);
            oldFrame = 1;
        }

        @Actor
        public void copier(II_Result r) {
            bits.clear(0, PageBits.DIRTY);
            VarHandle.fullFence();
            r.r1 = oldFrame;
        }

        @Arbiter
        public void after(II_Result r) {
            r.r2 = bits.isDirty(0) ? 1 : 0;
        }
    }
}
