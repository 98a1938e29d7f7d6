package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.VmSlot;

/// By what this host may run a VM: the owner word that it wrote, and the right under which it wrote it. A right that
/// lapsed and is held again is another one: the word has to be written anew, at a new epoch, before the guest runs.
///
/// Thread safe; written by whoever wins the word, one at a time.
final class RunRight {
    private final VmSlot slot;
    private final CheckBoard board;
    private volatile long word;
    private volatile int closings;

    RunRight(VmSlot slot, CheckBoard board) {
        this.slot = requireNonNull(slot, "slot is null");
        this.board = requireNonNull(board, "board is null");
    }

    /// The owner word is, or is about to be, `newWord`.
    ///
    /// @param since [CheckBoard#closings] from before the right was looked at
    void set(long newWord, int since) {
        // First, so that no check finds the new word under an old right.
        closings = since;
        word = newWord;
    }

    /// RUNNING e to RUNNING e + 1, for a guest that stands still. False if the word is somebody else's: nothing was
    /// changed.
    boolean renew() {
        int since = board.closings();
        long old = word;
        long next = OwnerWord.pack(OwnerState.RUNNING, OwnerWord.slot(old), OwnerWord.nextEpoch(old));
        if (!slot.compareAndSetOwner(old, next)) {
            return false;
        }
        set(next, since);
        return true;
    }

    long epoch() {
        return OwnerWord.epoch(word);
    }

    /// Part of every check of the guest's threads, beside the gate.
    boolean holds() {
        return isOurs() && !hasLapsed();
    }

    boolean isOurs() {
        return slot.ownerAcquire() == word;
    }

    boolean hasLapsed() {
        return board.closings() != closings;
    }
}
