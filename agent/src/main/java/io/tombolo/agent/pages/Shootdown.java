package io.tombolo.agent.pages;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Tells a page mover when no vCPU of a VM uses a translation any more that it read before.
///
/// Quiescent states (McKenney, Slingwine: "Read-Copy Update: Using Execution History to Solve Concurrency Problems",
/// PDCS 1998): a counter that the mover raises after it has changed page-table entries, and one word per vCPU that
/// holds the last value this vCPU has seen, or OFFLINE while it executes nothing. A vCPU that has seen the new counter
/// has seen the entries that were changed before it.
///
/// Order. [#online] stores the word, then a full fence, then the vCPU reads entries; [#begin] comes after the entries
/// were changed, raises the counter and makes a full fence before [#isPast] reads the words. So of a vCPU that comes
/// online and a mover that looks, at least one sees the other. [#quiescent] needs no fence: its acquire load orders
/// the reads of entries that follow, its release store the accesses that came before.
///
/// Thread safe; each vCPU's methods are for its own thread. Words of different vCPUs are 128 bytes apart.
public final class Shootdown {
    private static final long OFFLINE = Long.MAX_VALUE;
    private static final int STRIDE_LONGS = 16;
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int COUNTER = 0;
    /// Beside the counter, so that who loads one has the other.
    private static final int WITHOUT_CORE = 1;

    private final long[] words;
    private final int vcpus;

    /// For a VM whose vCPUs are all offline.
    public Shootdown(int vcpus) {
        this.vcpus = vcpus;
        this.words = new long[(vcpus + 2) * STRIDE_LONGS];
        for (int i = 0; i < vcpus; i++) {
            words[at(i)] = OFFLINE;
        }
    }

    private static int at(int vcpu) {
        return (vcpu + 1) * STRIDE_LONGS;
    }

    /// Before the first access of a stretch. Translations from before the vCPU was last offline may not be used.
    public void online(int vcpu) {
        WORD.setVolatile(words, at(vcpu), (long) WORD.getVolatile(words, COUNTER));
        VarHandle.fullFence();
    }

    /// Between two slices. If true, entries were changed: no translation that this vCPU has read before may be used any
    /// more. Otherwise it may keep them.
    public boolean quiescent(int vcpu) {
        long number = (long) WORD.getAcquire(words, COUNTER);
        if (number == words[at(vcpu)]) {
            return false;
        }
        WORD.setRelease(words, at(vcpu), number);
        return true;
    }

    /// After the last access of a stretch, and while the vCPU waits for a page.
    public void offline(int vcpu) {
        WORD.setRelease(words, at(vcpu), OFFLINE);
    }

    /// Whether movers gave their core away while they waited for a vCPU, and still wait. A vCPU that was late, and
    /// comes to its quiescent state now, had better give its own away: it may be the one that a mover needs.
    public boolean isMoverWithoutCore() {
        return (long) WORD.getOpaque(words, WITHOUT_CORE) != 0;
    }

    /// By a mover, before it gives its core away for the first time in a wait; to be followed by [#moverGoesOn].
    void moverGivesCoreAway() {
        WORD.getAndAdd(words, WITHOUT_CORE, 1L);
    }

    /// By a mover whose wait is over.
    void moverGoesOn() {
        WORD.getAndAdd(words, WITHOUT_CORE, -1L);
    }

    /// After entries were changed: the number of a new shoot-down.
    public long begin() {
        long number = (long) WORD.getAndAdd(words, COUNTER, 1L) + 1;
        VarHandle.fullFence();
        return number;
    }

    /// Whether every vCPU has left what it read before that [#begin].
    public boolean isPast(long number) {
        for (int i = 0; i < vcpus; i++) {
            if ((long) WORD.getAcquire(words, at(i)) < number) {
                return false;
            }
        }
        return true;
    }
}
