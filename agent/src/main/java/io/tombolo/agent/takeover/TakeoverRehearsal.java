package io.tombolo.agent.takeover;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.Backing;
import io.tombolo.region.Blob;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageCheckpoint;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Protection;
import io.tombolo.region.PteState;
import io.tombolo.region.Region;
import io.tombolo.region.Takeover;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/// Takes a small protected VM of a scratch region over again and again, from one host that has just died to the next,
/// until that code is compiled. A takeover recovers once, and walks every frame of the dead and every entry of the VM:
/// in the interpreter that takes seconds, during which clients wait. Nothing of the rehearsal touches the cluster's
/// region.
public final class TakeoverRehearsal {
    private static final long MEMORY_BYTES = 8L << 20;
    private static final int PAGE_BYTES = 4096;
    /// Fewer than the VM has, so that every interval finds other pages in the log.
    private static final int DIRTY_PAGES = 96;
    private static final int INTERVALS = 3;
    private static final int CHECKPOINT_US = 1_000;
    private static final int METADATA_BYTES = 1 << 13;

    private TakeoverRehearsal() {
    }

    /// Rehearses for at most `budgetMs` or `takeovers`, whichever is first.
    ///
    /// @param directory where the scratch region may be for that time
    /// @param bootId    of this machine
    /// @return takeovers made
    public static int run(Path directory, UUID bootId, int takeovers, long budgetMs) throws IOException {
        requireNonNull(bootId, "bootId is null");
        Path file = directory.resolve("recovery-" + ProcessHandle.current().pid() + ".region");
        UUID cluster = UUID.randomUUID();
        try {
            Region.format(file, FormatOptions.of(cluster, 8 * MEMORY_BYTES).withHostSlots(2).withVmSlots(1)
                    .withMetadataSlotBytes(METADATA_BYTES));
            try (Region region = Region.open(file, OpenOptions.ofCluster(cluster))) {
                return takeOverAgain(region, bootId, takeovers, System.nanoTime() + budgetMs * 1_000_000L);
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static int takeOverAgain(Region region, UUID bootId, int takeovers, long untilNs) {
        VmSlot vm = region.vm(0);
        ClaimedSlot owner = claim(region, bootId, 0);
        PageCheckpoint checkpoint = protectedVm(region, vm, owner);
        MemorySegment into = Arena.ofAuto().allocate(METADATA_BYTES);
        // Compiled code that has met one check only is thrown away when a takeover comes with its own.
        long[] checks = new long[3];
        List<Runnable> all = List.of(() -> checks[0]++, () -> checks[1]++, () -> checks[2]++);
        int done = 0;
        while (done < takeovers && System.nanoTime() - untilNs < 0) {
            execute(vm, checkpoint, done);
            ClaimedSlot next = claim(region, bootId, done + 1);
            HostSlots.fence(region, owner.slot(), owner.incarnation());
            HostSlots.confirmStopped(region, owner.slot(), owner.incarnation());
            long mine = Takeover.begin(region, vm, next.slot(), vm.ownerAcquire());
            Blob state = Takeover.recover(region, vm, mine, into, all.get(done % all.size())).state();
            checkpoint = Takeover.checkpoint(region, region.allocator(next.slot()), vm, mine, state);
            checkpoint.commit(OwnerWord.epoch(mine), 0, 0, false);
            Takeover.finish(region, vm, mine, OwnerState.RUNNING);
            HostSlots.free(region, owner.slot(), owner.incarnation());
            owner = next;
            done++;
        }
        return done;
    }

    /// Some intervals; the last one is not committed, and the host dies in the middle of a first write.
    private static void execute(VmSlot vm, PageCheckpoint checkpoint, int done) {
        PageTable table = vm.pageTable();
        for (int interval = 0; interval < INTERVALS; interval++) {
            if (interval > 0) {
                checkpoint.commit(OwnerWord.epoch(vm.ownerAcquire()), 0, 0, false);
            }
            for (int i = 0; i < DIRTY_PAGES; i++) {
                long page = ((done + interval) * (DIRTY_PAGES / 2L) + i) % table.pages();
                checkpoint.firstWrite(page, table.entryAcquire(page));
            }
        }
        long page = done % table.pages();
        long entry = table.entryAcquire(page);
        table.compareAndSet(page, entry, PageTableEntry.with(entry, PteState.COPYING));
    }

    private static ClaimedSlot claim(Region region, UUID bootId, int number) {
        return HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), "host-" + number, bootId,
                ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
    }

    private static PageCheckpoint protectedVm(Region region, VmSlot vm, ClaimedSlot host) {
        vm.compareAndSetOwner(vm.ownerAcquire(), OwnerWord.pack(OwnerState.CREATING, host.slot(), 1));
        FrameAllocator allocator = region.allocator(host.slot());
        VmMemory.populate(region, allocator, vm, new VmIdentity(UUID.randomUUID(), "rehearsal", MEMORY_BYTES,
                PAGE_BYTES, 1, Backing.FRAMES, "simulated", VmIdentity.NO_SEGMENT, 0, 0));
        PageCheckpoint checkpoint = Protection.start(region, allocator, vm, CHECKPOINT_US);
        checkpoint.commit(1, 0, 0, false);
        vm.compareAndSetOwner(vm.ownerAcquire(), OwnerWord.pack(OwnerState.RUNNING, host.slot(), 1));
        return checkpoint;
    }
}
