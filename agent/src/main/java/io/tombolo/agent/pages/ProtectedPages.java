package io.tombolo.agent.pages;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.PageCheckpoint;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Which pages of a protected VM were written in the open interval, and which vCPU may have translations of a page for
/// reading. Memory of this host; a commit changes one number of it ([#next]).
///
/// A first write. The vCPU that [#begins] it is the only one that asks the [PageCheckpoint] for a new frame; others
/// that want to write the page wait until it [#ends].
///
/// Readers. A vCPU says [#reads] before it loads the entry of a page for a translation, with a full fence between; who
/// has changed the entry then calls [#takeFromReaders], a full fence again: of the two at least one sees the other. The
/// readers are forgotten before the shoot-down begins, so a vCPU that looks while it is under way either finds itself
/// remembered and drops the translation with all others, or says again that it reads.
///
/// Thread safe, except for [#next]: no vCPU executes then.
public final class ProtectedPages {
    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle BYTES = MethodHandles.arrayElementVarHandle(byte[].class);
    /// No interval has this number.
    private static final long BEGUN = -1;
    private static final byte NOBODY = 0;
    private static final byte SEVERAL = -1;

    private final PageCheckpoint checkpoint;
    private final long[] writtenIn;
    /// NOBODY, SEVERAL, or one vCPU's number + 1; null with one vCPU.
    private final byte[] readers;
    private long open;

    /// @param pages that the VM has
    public ProtectedPages(PageCheckpoint checkpoint, long pages, int vcpus) {
        this.checkpoint = requireNonNull(checkpoint, "checkpoint is null");
        this.writtenIn = new long[Math.toIntExact(pages)];
        this.readers = vcpus == 1 ? null : new byte[writtenIn.length];
        this.open = checkpoint.interval();
    }

    public PageCheckpoint checkpoint() {
        return checkpoint;
    }

    /// The interval was committed.
    public void next() {
        open = checkpoint.interval();
    }

    /// Whether the page may be written: it has been in the open interval. The entry is to be loaded after this.
    public boolean isWritten(long page) {
        return (long) LONGS.getAcquire(writtenIn, (int) page) == open;
    }

    /// Before the first write of a page. False if another vCPU has begun it.
    public boolean begins(long page) {
        long before = (long) LONGS.getAcquire(writtenIn, (int) page);
        if (readers == null) {
            writtenIn[(int) page] = BEGUN;
            return true;
        }
        return before != BEGUN && before != open
                && LONGS.compareAndSet(writtenIn, (int) page, before, BEGUN);
    }

    /// Whether a vCPU is about to give the page its frame.
    public boolean isBegun(long page) {
        return (long) LONGS.getAcquire(writtenIn, (int) page) == BEGUN;
    }

    /// The page has its new frame, no vCPU reads the old one any more: all may write it.
    public void ends(long page) {
        LONGS.setRelease(writtenIn, (int) page, open);
    }

    /// The page did not get a frame.
    public void fails(long page) {
        LONGS.setRelease(writtenIn, (int) page, 0L);
    }

    /// By a vCPU, before it loads the entry of a page for a translation.
    public void reads(long page, int vcpu) {
        if (readers == null) {
            return;
        }
        byte self = (byte) Math.min(vcpu + 1, Byte.MAX_VALUE);
        byte seen = (byte) BYTES.getOpaque(readers, (int) page);
        if (seen == SEVERAL || (seen == self && vcpu + 1 < Byte.MAX_VALUE)) {
            return;
        }
        while (!BYTES.compareAndSet(readers, (int) page, seen, seen == NOBODY ? self : SEVERAL)) {
            seen = (byte) BYTES.getOpaque(readers, (int) page);
        }
        VarHandle.fullFence();
    }

    /// After the entry was changed: whether other vCPUs than this one may still read the frame that it named before.
    /// They are forgotten; if true a shoot-down has to follow.
    public boolean takeFromReaders(long page, int vcpu) {
        if (readers == null) {
            return false;
        }
        byte self = (byte) Math.min(vcpu + 1, Byte.MAX_VALUE);
        byte before = (byte) BYTES.getAndSet(readers, (int) page, self);
        VarHandle.fullFence();
        return before != NOBODY && (before != self || vcpu + 1 >= Byte.MAX_VALUE);
    }
}
