package io.tombolo.agent.pages;

import io.tombolo.region.FormatOptions;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageSize;
import io.tombolo.region.Region;
import io.tombolo.region.VerifyReport;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import io.tombolo.region.VmSlot;
import io.tombolo.region.VmSlots;
import io.tombolo.region.WatchdogBound;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/// One VM in a real region on tmpfs, running as far as its owner word says, with a local tier beside it.
public final class TestVm implements AutoCloseable {
    final Path directory;
    public final Region region;
    final LocalTier local;
    public final FrameAllocator allocator;
    public final VmSlot slot;
    public final VmPages pages;
    final GuestCopier copier = new GuestCopier();

    /// @param local whether the pages begin in the local tier
    TestVm(long bytes, PageSize size, boolean local, int vcpus) {
        this(bytes, size, local, vcpus, bytes);
    }

    public TestVm(long bytes, PageSize size, boolean local, int vcpus, long localBytes) {
        this(bytes, size, local, vcpus, localBytes, HugePages.NONE);
    }

    TestVm(long bytes, PageSize size, boolean local, int vcpus, long localBytes, HugePages hugePages) {
        this(bytes, size, local, vcpus, localBytes, hugePages, 16L << 20);
    }

    /// @param spare bytes of the region beside the VM's
    TestVm(long bytes, PageSize size, boolean local, int vcpus, long localBytes, HugePages hugePages, long spare) {
        try {
            directory = Files.createTempDirectory(Path.of("/dev/shm"), "tombolo-pages-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        UUID cluster = UUID.randomUUID();
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(cluster, bytes + spare));
        region = Region.open(file, OpenOptions.ofCluster(cluster));
        int host = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), "ant", UUID.randomUUID(),
                ProcessHandle.current().pid(), WatchdogBound.UNKNOWN)).slot();
        this.local = localBytes == 0 ? null : LocalTier.open(directory.resolve("local"), localBytes, hugePages);
        allocator = region.allocator(host);
        slot = VmSlots.claim(region, host);
        VmMemory.populate(region, allocator, slot,
                VmIdentity.frames(UUID.randomUUID(), "vm", bytes, size, vcpus, "simulated"),
                local ? this.local.zeroed() : null);
        long creating = slot.ownerAcquire();
        slot.compareAndSetOwner(creating, OwnerWord.pack(OwnerState.RUNNING, host, OwnerWord.epoch(creating)));
        pages = new VmPages(region, slot, allocator, this.local, vcpus);
    }

    PageMover mover(int batch) {
        return new PageMover(region, copier, () -> true, 1_000_000_000L, batch);
    }

    public List<?> findings() {
        VerifyReport report = RegionVerifier.verify(region);
        return report.findings();
    }

    @Override
    public void close() {
        region.close();
        if (local != null) {
            local.close();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
