package io.tombolo.agent.takeover;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.Backing;
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
import io.tombolo.region.Protection;
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

/// Recovers a small protected VM of a scratch region again and again until that code is compiled. A takeover recovers
/// once, and walks every frame of the dead and every entry of the VM: in the interpreter that takes seconds, during
/// which clients wait. Nothing of the rehearsal touches the cluster's region.
public final class RecoveryRehearsal {
    private static final long MEMORY_BYTES = 2L << 20;
    private static final int PAGE_BYTES = 4096;
    private static final int DIRTY_PAGES = 64;
    private static final int CHECKPOINT_US = 1_000;
    private static final int METADATA_BYTES = 1 << 13;

    private RecoveryRehearsal() {
    }

    /// Rehearses for at most `budgetMs` or `recoveries`, whichever is first.
    ///
    /// @param directory where the scratch region may be for that time
    /// @param bootId    of this machine
    /// @return recoveries made
    public static int run(Path directory, UUID bootId, int recoveries, long budgetMs) throws IOException {
        requireNonNull(bootId, "bootId is null");
        Path file = directory.resolve("recovery-" + ProcessHandle.current().pid() + ".region");
        UUID cluster = UUID.randomUUID();
        try {
            Region.format(file, FormatOptions.of(cluster, 8 * MEMORY_BYTES).withHostSlots(2).withVmSlots(1)
                    .withMetadataSlotBytes(METADATA_BYTES));
            try (Region region = Region.open(file, OpenOptions.ofCluster(cluster))) {
                return recoverAgain(region, bootId, recoveries, System.nanoTime() + budgetMs * 1_000_000L);
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static int recoverAgain(Region region, UUID bootId, int recoveries, long untilNs) {
        ClaimedSlot dead = claim(region, "dead", bootId);
        ClaimedSlot self = claim(region, "self", bootId);
        VmSlot vm = region.vm(0);
        protectedVm(region, vm, dead);
        HostSlots.fence(region, dead.slot(), dead.incarnation());
        HostSlots.confirmStopped(region, dead.slot(), dead.incarnation());
        long mine = Takeover.begin(region, vm, self.slot(), vm.ownerAcquire());
        MemorySegment into = Arena.ofAuto().allocate(METADATA_BYTES);
        // Compiled code that has met one check only is thrown away when a takeover comes with its own.
        long[] checks = new long[3];
        List<Runnable> all = List.of(() -> checks[0]++, () -> checks[1]++, () -> checks[2]++);
        int done = 0;
        while (done < recoveries && System.nanoTime() - untilNs < 0) {
            Takeover.recover(region, vm, mine, into, all.get(done % all.size()));
            done++;
        }
        return done;
    }

    private static ClaimedSlot claim(Region region, String name, UUID bootId) {
        return HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, bootId,
                ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
    }

    private static void protectedVm(Region region, VmSlot vm, ClaimedSlot host) {
        vm.compareAndSetOwner(vm.ownerAcquire(), OwnerWord.pack(OwnerState.CREATING, host.slot(), 1));
        FrameAllocator allocator = region.allocator(host.slot());
        VmMemory.populate(region, allocator, vm, new VmIdentity(UUID.randomUUID(), "rehearsal", MEMORY_BYTES,
                PAGE_BYTES, 1, Backing.FRAMES, "simulated", VmIdentity.NO_SEGMENT, 0, 0));
        PageCheckpoint checkpoint = Protection.start(region, allocator, vm, CHECKPOINT_US);
        checkpoint.commit(1, 0, 0, false);
        PageTable table = vm.pageTable();
        for (long page = 0; page < DIRTY_PAGES; page++) {
            checkpoint.firstWrite(page, table.entryAcquire(page));
        }
        vm.compareAndSetOwner(vm.ownerAcquire(), OwnerWord.pack(OwnerState.RUNNING, host.slot(), 1));
    }
}
