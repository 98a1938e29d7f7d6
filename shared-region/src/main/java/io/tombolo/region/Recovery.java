package io.tombolo.region;

import java.util.ArrayList;
import java.util.List;

/// Puts right what a dead host incarnation left behind: reserved frames, blocks, half-built and half-destroyed VMs. It
/// runs only after the incarnation is confirmed stopped, can be repeated from any point, and may be run by several at
/// once (every word it changes is changed by CAS). It never looks at frames outside the dead incarnation's blocks,
/// never infers from the absence of a pointer, and never walks the table of a VM that it does not own.
///
/// Order of the steps, each persisted before the next:
/// 1. settle each frame reserved by the slot: the one entry that the frame word names decides;
/// 2. withdraw the slot's right to take VMs back;
/// 3. VMs that the slot was creating or destroying: DESTROYING by the executor at the next epoch, then frames,
///    identity, FREE;
/// 4. give the blocks back.
///
/// Frames must be recovered before anybody takes over the incarnation's running VMs.
public final class Recovery {
    /// What was done. `vmsPending` are VM slots that the dead slot still owns in other states: takeover decides about
    /// them.
    public record Report(int slot, long incarnation, long framesFreed, long framesKept, int blocksReleased,
            List<Integer> vmsDestroyed, List<Integer> vmsPending) {
    }

    private Recovery() {
    }

    /// Without an executor: half-built and half-destroyed VMs stay and are reported as pending.
    public static Report recover(Region region, int deadSlot, long incarnation) {
        return recover(region, deadSlot, incarnation, -1);
    }

    /// `executorSlot` is the live host on which this runs; it becomes the owner of the VMs that it destroys.
    public static Report recover(Region region, int deadSlot, long incarnation, int executorSlot) {
        return region.guarded(() -> recoverNow(region, deadSlot, incarnation, executorSlot));
    }

    private static Report recoverNow(Region region, int deadSlot, long incarnation, int executorSlot) {
        requireConfirmed(region, deadSlot, incarnation);
        long ownedWord = BlockWord.owned(deadSlot, incarnation);
        long[] settled = new long[2];
        List<Long> blocks = new ArrayList<>();
        for (long block = 0; block < region.superblock().blockCount(); block++) {
            if (region.memory().loadAcquire(region.blockOffset(block)) == ownedWord) {
                blocks.add(block);
                settleBlock(region, deadSlot, block, settled);
            }
        }
        withdrawTakeBack(region, deadSlot);
        List<Integer> destroyed = new ArrayList<>();
        List<Integer> pending = new ArrayList<>();
        for (int i = 0; i < region.vmSlots(); i++) {
            VmSlot vm = region.vm(i);
            long owner = vm.ownerAcquire();
            if (OwnerWord.is(owner, OwnerState.FREE) || OwnerWord.slot(owner) != deadSlot) {
                continue;
            }
            if (executorSlot >= 0 && finishDestroy(region, vm, owner, executorSlot)) {
                destroyed.add(i);
            } else {
                pending.add(i);
            }
        }
        int released = 0;
        for (long block : blocks) {
            if (region.memory().compareAndSet(region.blockOffset(block), ownedWord, BlockWord.FREE)) {
                released++;
            }
            region.memory().persist(region.blockOffset(block), 8);
        }
        return new Report(deadSlot, incarnation, settled[0], settled[1], released, List.copyOf(destroyed),
                List.copyOf(pending));
    }

    /// Takes from a slot that is being fenced the right to take back the VMs it has offered: OFFERED B e -> OFFERED B
    /// e+1, for which no from word holds. Returns how many.
    public static int withdrawTakeBack(Region region, int slot) {
        int withdrawn = 0;
        for (int i = 0; i < region.vmSlots(); i++) {
            VmSlot vm = region.vm(i);
            long owner = vm.ownerAcquire();
            while (FromWord.allows(vm.fromAcquire(), slot, owner)) {
                if (vm.compareAndSetOwner(owner,
                        OwnerWord.pack(OwnerState.OFFERED, OwnerWord.slot(owner), OwnerWord.nextEpoch(owner)))) {
                    withdrawn++;
                }
                owner = vm.ownerAcquire();
            }
        }
        return withdrawn;
    }

    private static void settleBlock(Region region, int deadSlot, long block, long[] settled) {
        Memory memory = region.memory();
        for (int i = 0; i < BlockWord.FRAMES; i++) {
            long frame = block * BlockWord.FRAMES + i;
            long at = region.frameWordOffset(frame);
            long word = memory.loadAcquire(at);
            if (FrameWord.state(word) != FrameState.RESERVED || FrameWord.slot(word) != deadSlot) {
                continue;
            }
            boolean kept = entryNames(region, FrameWord.vm(word), FrameWord.page(word), frame);
            long next = kept ? FrameWord.used(FrameWord.vm(word), FrameWord.page(word)) : FrameWord.FREE;
            if (memory.compareAndSet(at, word, next)) {
                settled[kept ? 1 : 0]++;
            }
        }
        memory.persist(region.frameWordOffset(block * BlockWord.FRAMES), BlockWord.FRAMES * 8L);
    }

    /// True if the entry of this page of this VM names the frame; an entry that is MIGRATING or COPYING still names the
    /// old one.
    private static boolean entryNames(Region region, int vm, long page, long frame) {
        if (vm >= region.vmSlots() || OwnerWord.is(region.vm(vm).ownerAcquire(), OwnerState.FREE)) {
            return false;
        }
        VmIdentity identity = region.vm(vm).identityOrNull();
        if (identity == null || page >= identity.pages() || identity.tableFrames() == 0) {
            return false;
        }
        long perTable = RegionLayout.FRAME_BYTES / 8;
        long tableFrame = identity.tableFirstFrame() + page / perTable;
        if (region.memory().loadAcquire(region.frameWordOffset(tableFrame)) != FrameWord.table(vm, page / perTable)) {
            return false;
        }
        long entry = region.memory().loadAcquire(region.frameDataOffset(tableFrame) + page % perTable * 8);
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && PageTableEntry.frame(entry) == frame;
    }

    private static boolean finishDestroy(Region region, VmSlot vm, long owner, int executorSlot) {
        if (!OwnerWord.is(owner, OwnerState.CREATING) && !OwnerWord.is(owner, OwnerState.DESTROYING)) {
            return false;
        }
        long mine = OwnerWord.pack(OwnerState.DESTROYING, executorSlot, OwnerWord.nextEpoch(owner));
        return vm.compareAndSetOwner(owner, mine) && VmSlots.destroy(region, vm, mine);
    }

    private static void requireConfirmed(Region region, int slot, long incarnation) {
        long word = region.host(slot).wordAcquire();
        HostState state = SlotWord.state(word);
        if (SlotWord.incarnation(word) != incarnation || (state != HostState.CONFIRMED && state != HostState.STOPPED)) {
            throw TomboloException
                    .error(RegionError.REGION_HOST_NOT_CONFIRMED, "only a host that is confirmed stopped is recovered")
                    .fact("file", region.file()).fact("host", slot).fact("found", SlotWord.describe(word))
                    .fact("expected", "CONFIRMED or STOPPED incarnation " + incarnation)
                    .next("fence the host and confirm that it has stopped").build();
        }
    }
}
