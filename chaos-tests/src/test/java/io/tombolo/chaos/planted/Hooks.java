package io.tombolo.chaos.planted;

import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.Memory;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.VmSlot;
import io.tombolo.region.os.Linux;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;

/// What is called in an agent with a planted bug in place of what should be. Signatures are those of the methods they
/// replace, with the object first, whose type may not be public.
public final class Hooks {
    private Hooks() {
    }

    /// [RealBug#OWNER_WORD_WRITTEN].
    public static boolean writeOwner(Object of, long expect, long next) {
        VmSlot slot = (VmSlot) of;
        memory(slot).storeRelease(offset(slot), next);
        return expect != next;
    }

    /// [RealBug#TAKE_BACK_FROM_CLAIMED].
    public static boolean takeBackFromClaimed(Object of, long expect, long next) {
        VmSlot slot = (VmSlot) of;
        if (slot.compareAndSetOwner(expect, next)) {
            return true;
        }
        long found = slot.ownerAcquire();
        boolean claimed = OwnerWord.is(found, OwnerState.CLAIMED) && OwnerWord.slot(found) == OwnerWord.slot(expect)
                && OwnerWord.epoch(found) == OwnerWord.epoch(expect);
        return claimed && memory(slot).compareAndSet(offset(slot), found, next);
    }

    /// [RealBug#RESUME_BY_LOOKING].
    public static boolean looks(Object right) {
        try {
            Method ours = right.getClass().getDeclaredMethod("isOurs");
            ours.setAccessible(true);
            if (!(boolean) ours.invoke(right)) {
                return false;
            }
            CheckBoard board = (CheckBoard) field(right, "board").get(right);
            field(right, "closings").setInt(right, board.closings());
            return true;
        } catch (ReflectiveOperationException | InaccessibleObjectException e) {
            throw new IllegalStateException(e);
        }
    }

    /// [RealBug#PET_AT_RECEIPT].
    public static long checkedNow(Object board) {
        return ((CheckBoard) board).allStopped() ? Long.MAX_VALUE : Linux.clockBoottimeNs();
    }

    /// [RealBug#PET_WITHOUT_THE_OTHERS].
    public static long nobodyRuns(Object board) {
        return board == null ? 0 : Long.MAX_VALUE;
    }

    /// [RealBug#SLOT_REUSED].
    public static String nobody(Region region, int slot) {
        return region == null && slot < 0 ? "" : null;
    }

    private static Memory memory(VmSlot slot) {
        try {
            return (Memory) field(slot, "memory").get(slot);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long offset(VmSlot slot) {
        try {
            return field(slot, "base").getLong(slot) + field(slot, "OWNER").getLong(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Field field(Object of, String name) throws NoSuchFieldException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }
}
