package io.tombolo.region;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/// The owners of a VM that are not known to have stopped, as its slot keeps them, so that a second failure does not
/// forget the first. All words are changed by CAS, because several hosts may try to take a VM over.
///
/// `taken_from` is whom the VM was taken from last; a takeover writes it before the owner word, so it belongs to the
/// present owner word if it carries its epoch, and otherwise to an attempt that has not got further. The list holds the
/// `taken_from` words of the takeovers before; an attempt copies it there before it writes its own. What an attempt
/// that failed leaves in the list does no harm: it names owners that were confirmed stopped before the VM could run
/// again.
final class OwnersInDoubt {
    private OwnersInDoubt() {
    }

    /// Notes whom the VM is about to be taken from. False if the words changed meanwhile: look at the owner word again.
    ///
    /// @param seen  `taken_from` as it was read before `owner` was read
    /// @param owner the owner word that is to be replaced
    static boolean note(Region region, VmSlot vm, long seen, long owner, int executorSlot) {
        boolean takenOver = OwnerWord.is(owner, OwnerState.RECOVERING) || OwnerWord.is(owner, OwnerState.RESTORING);
        if (takenOver && DoubtWord.namesSomebody(seen) && DoubtWord.isOf(seen, OwnerWord.epoch(owner))) {
            keep(region, vm, seen);
        }
        long next = OwnerWord.nextEpoch(owner);
        return vm.compareAndSetDoubt(0, seen, inDoubt(region, owner, next, executorSlot));
    }

    /// In OFFERED nobody executes: who offered it has stopped, who it is offered to has not begun. A host that begins
    /// anew has ended its own attempt before, and is in no doubt of itself.
    private static long inDoubt(Region region, long owner, long epoch, int executorSlot) {
        if (OwnerWord.is(owner, OwnerState.OFFERED) || OwnerWord.is(owner, OwnerState.LOST)
                || OwnerWord.slot(owner) == executorSlot) {
            return DoubtWord.nobody(epoch);
        }
        int slot = OwnerWord.slot(owner);
        return DoubtWord.pack(slot, SlotWord.incarnation(region.host(slot).wordAcquire()), epoch);
    }

    private static void keep(Region region, VmSlot vm, long word) {
        for (int place = 1; place <= RegionLayout.OWNERS_IN_DOUBT_MAX; place++) {
            if (sameOwner(vm.doubtAcquire(place), word)) {
                return;
            }
        }
        // One that is confirmed stopped goes only when there is no other place: its frames are recovered by this list.
        if (!keepInPlaceOf(vm, word, kept -> kept == DoubtWord.NONE)
                && !keepInPlaceOf(vm, word, kept -> isConfirmed(region, kept))) {
            throw TomboloException.error(RegionError.REGION_DOUBTS_FULL, "the VM has too many owners in doubt")
                    .fact("file", region.file()).fact("vm", vm.index())
                    .fact("places", RegionLayout.OWNERS_IN_DOUBT_MAX)
                    .next("confirm that the hosts in doubt have stopped: tombolo host list").build();
        }
    }

    private static boolean keepInPlaceOf(VmSlot vm, long word, LongPredicate may) {
        for (int place = 1; place <= RegionLayout.OWNERS_IN_DOUBT_MAX; place++) {
            long kept = vm.doubtAcquire(place);
            if (may.test(kept) && vm.compareAndSetDoubt(place, kept, word)) {
                return true;
            }
        }
        return false;
    }

    private static boolean sameOwner(long one, long other) {
        return DoubtWord.slot(one) == DoubtWord.slot(other)
                && DoubtWord.incarnation(one) == DoubtWord.incarnation(other);
    }

    /// Everybody who was in doubt when the VM got this owner word, confirmed or not.
    static List<Long> all(VmSlot vm, long owner) {
        List<Long> all = new ArrayList<>();
        // First this one: an attempt writes it after the list.
        long last = vm.doubtAcquire(0);
        if (DoubtWord.namesSomebody(last) && DoubtWord.isOf(last, OwnerWord.epoch(owner))) {
            all.add(last);
        }
        for (int place = 1; place <= RegionLayout.OWNERS_IN_DOUBT_MAX; place++) {
            long word = vm.doubtAcquire(place);
            if (DoubtWord.namesSomebody(word)) {
                all.add(word);
            }
        }
        return all;
    }

    /// For people: the list.
    static String describe(VmSlot vm) {
        List<String> kept = new ArrayList<>();
        for (int place = 1; place <= RegionLayout.OWNERS_IN_DOUBT_MAX; place++) {
            long word = vm.doubtAcquire(place);
            if (word != DoubtWord.NONE) {
                kept.add(DoubtWord.describe(word));
            }
        }
        return String.join(", ", kept);
    }

    /// Empties the list: they are confirmed stopped, and the VM is about to run.
    static void clear(VmSlot vm) {
        for (int place = 1; place <= RegionLayout.OWNERS_IN_DOUBT_MAX; place++) {
            long word = vm.doubtAcquire(place);
            if (word != DoubtWord.NONE) {
                vm.compareAndSetDoubt(place, word, DoubtWord.NONE);
            }
        }
    }

    /// Its slot says that it has stopped, or is a later incarnation's: a slot is freed only after a confirmation.
    static boolean isConfirmed(Region region, long doubt) {
        long word = region.host(DoubtWord.slot(doubt)).wordAcquire();
        HostState state = SlotWord.state(word);
        return !DoubtWord.sameIncarnation(doubt, word) || state == HostState.STOPPED || state == HostState.CONFIRMED
                || state == HostState.FREE;
    }
}
