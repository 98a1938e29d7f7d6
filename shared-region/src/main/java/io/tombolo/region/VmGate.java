package io.tombolo.region;

import java.util.function.BooleanSupplier;

/// The gate of a VM: how many operations on its pages are in flight, and whether new ones are let in. Word: closed 1
/// bit (63), copied 1 bit (62; only with closed), zero 30 bits, count 32 bits (31..0; at most [#COUNT_MAX]). Every
/// batch of a page move enters and leaves it; a hand-off closes it and waits until it is drained, which costs the same
/// whatever the size of the VM.
///
/// Only the owner host uses it; its threads change it by compare-and-set (a full fence), so what an operation stored
/// before [#leave] is seen by who finds the gate drained. Not persisted here: it means nothing after the death of the
/// owner, and a change of the owner word persists the slot first.
public final class VmGate {
    /// Operations in flight at the same time; more is damage.
    public static final int COUNT_MAX = 1023;

    private static final long CLOSED = 1L << 63;
    private static final long COPIED = 1L << 62;
    private static final long COUNT_MASK = 0xFFFF_FFFFL;

    private final Memory memory;
    private final long offset;

    VmGate(Memory memory, long offset) {
        this.memory = memory;
        this.offset = offset;
    }

    /// Lets one operation in; false if the gate is closed. IllegalStateException beyond [#COUNT_MAX].
    public boolean enter() {
        return enter(() -> true);
    }

    /// The same, if `may` says so after the gate was found open: whoever finds it open need not be its owner any more.
    public boolean enter(BooleanSupplier may) {
        while (true) {
            long word = wordAcquire();
            if (isClosed(word) || !may.getAsBoolean()) {
                return false;
            }
            if (count(word) >= COUNT_MAX) {
                throw new IllegalStateException("gate: " + describe(word) + ": too many operations in flight");
            }
            if (memory.compareAndSet(offset, word, word + 1)) {
                return true;
            }
        }
    }

    /// The operation is over. IllegalStateException if none is in flight.
    public void leave() {
        while (true) {
            long word = wordAcquire();
            if (count(word) == 0) {
                throw new IllegalStateException("gate: " + describe(word) + ": nobody to leave");
            }
            if (memory.compareAndSet(offset, word, word - 1)) {
                return;
            }
        }
    }

    /// Lets nobody in from now on; does not wait. Closing twice is closing once.
    public void close() {
        change(0, CLOSED);
    }

    /// Says of a closed gate that the host which the VM is offered to has copies of all local pages: it may be offered
    /// with them. Holds until the gate opens.
    ///
    /// @throws IllegalStateException if the gate is open or an operation is in flight
    public void markCopied() {
        long word = wordAcquire();
        if (!isClosed(word) || count(word) != 0 || !memory.compareAndSet(offset, word, word | COPIED)) {
            throw new IllegalStateException("gate: " + describe(word) + ": pages can move");
        }
    }

    public void open() {
        change(CLOSED | COPIED, 0);
    }

    public boolean isClosed() {
        return isClosed(wordAcquire());
    }

    /// True if no operation is in flight.
    public boolean drained() {
        return count(wordAcquire()) == 0;
    }

    public long wordAcquire() {
        return memory.loadAcquire(offset);
    }

    /// Open and empty, whatever it was: for the owner that recovers the VM, when everybody who had entered is dead.
    public void reset() {
        change(-1, 0);
    }

    private void change(long clear, long set) {
        while (true) {
            long word = wordAcquire();
            long next = (word & ~clear) | set;
            if (word == next || memory.compareAndSet(offset, word, next)) {
                return;
            }
        }
    }

    public static boolean isClosed(long word) {
        return (word & CLOSED) != 0;
    }

    /// True if the VM's local pages travel by copy: the host that it is offered to has frames of its own for them.
    public static boolean isCopied(long word) {
        return (word & COPIED) != 0;
    }

    /// Operations in flight.
    public static long count(long word) {
        return word & COUNT_MASK;
    }

    /// True if the word is one that the gate can have.
    public static boolean isLegal(long word) {
        return (word & ~(CLOSED | COPIED | COUNT_MASK)) == 0 && count(word) <= COUNT_MAX
                && (isClosed(word) || !isCopied(word));
    }

    /// For people: `open, 2 in flight`.
    public static String describe(long word) {
        return (isLegal(word) ? "" : "illegal " + SuperblockReader.hex(word) + " ")
                + (isClosed(word) ? "closed, " : "open, ") + (isCopied(word) ? "pages copied, " : "") + count(word)
                + " in flight";
    }
}
