package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.Call.Bytes;
import io.tombolo.chaos.explore.Call.Kind;
import io.tombolo.region.Blob;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.Memory;
import io.tombolo.region.MetadataSlot;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageCheckpoint;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Protection;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.Takeover;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import io.tombolo.region.VmSlot;
import io.tombolo.region.VmSlots;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/// What a host does for one protected VM, with the region's own code: as its owner, whose guest writes pages and whose
/// checkpoints are committed, and as the host that is to go on with it. Tests plant bugs in what they override.
///
/// The guest's state is all that it ever wrote, in order, one byte a write: the page in the lowest bit, above it the
/// number of the write, above that the owner's epoch. A page holds what was written to it last.
class TakeoverLife {
    static final int PAGES = 2;
    static final int A = 0;
    static final int HOSTS = 3;
    /// That of the first owner.
    static final long EPOCH = 3;
    private static final UUID VM = new UUID(7, 7);
    private static final Path NAME = Path.of("explored");
    private static final int CHECKPOINT_US = 5_000;
    private static final int SCHEMA = 1;
    private static final int ORDERS = 2;
    /// Frames for the VM's table, its log, its pages, and the stock that it needs.
    private static final int FRAMES = 2 + PAGES + 2;

    private final int ownerSteps;
    private final int nextOwnerSteps;
    private final int spareFrames;

    TakeoverLife(int ownerSteps, int nextOwnerSteps) {
        this(ownerSteps, nextOwnerSteps, 0);
    }

    /// @param ownerSteps     writes and commits that the first owner makes
    /// @param nextOwnerSteps the same for each owner after it
    /// @param spareFrames    free frames of the region beyond those that the VM needs
    TakeoverLife(int ownerSteps, int nextOwnerSteps, int spareFrames) {
        this.ownerSteps = ownerSteps;
        this.nextOwnerSteps = nextOwnerSteps;
        this.spareFrames = spareFrames;
    }

    int ownerSteps() {
        return ownerSteps;
    }

    int nextOwnerSteps() {
        return nextOwnerSteps;
    }

    /// Another VM, of the last host, which has all other frames of the region. Returns the first frame that is left.
    long fill(Memory memory) {
        Region region = Region.over(memory, NAME);
        int host = HOSTS - 1;
        VmSlot first = VmSlots.claim(region, host);
        long creating = first.ownerAcquire();
        VmSlot vm = VmSlots.claim(region, host);
        long pages = region.superblock().frameCount() - FRAMES - spareFrames - 1;
        VmMemory.populate(region, region.allocator(host), vm,
                VmIdentity.frames(new UUID(8, 8), "filler", pages * 4096, 1, "simulated"));
        vm.compareAndSetOwner(vm.ownerAcquire(), OwnerWord.pack(OwnerState.RUNNING, host, 1));
        VmSlots.destroy(region, first, creating);
        return pages + 1;
    }

    /// The VM as the first owner made and protected it: committed twice, one page written in between, so that a spare
    /// pre-image is there.
    static Running create(Memory memory) {
        Region region = Region.over(memory, NAME);
        FrameAllocator allocator = region.allocator(A);
        VmSlot vm = VmSlots.claim(region, A);
        long creating = vm.ownerAcquire();
        VmMemory.populate(region, allocator, vm, VmIdentity.frames(VM, "vm", PAGES * 4096L, 1, "simulated"));
        vm.compareAndSetOwner(creating, OwnerWord.pack(OwnerState.RUNNING, A, EPOCH));
        Running running = new Running(region, vm, A, EPOCH, Protection.start(region, allocator, vm, CHECKPOINT_US),
                new byte[0]);
        running.commit();
        running.write(0, running.next(0));
        running.commit();
        return running;
    }

    /// The first owner's life.
    void own(Lives.Port port) {
        Running running = create(port(port));
        port.begins();
        // The first step; nothing is chosen.
        port.call(new Call(Kind.CHOOSE, 1, 1, 0, null));
        execute(port, running, ownerSteps);
    }

    /// The life of a host that takes the VM over when it is told to.
    void standBy(Lives.Port port, int host) {
        Region region = Region.over(port(port), NAME);
        FrameAllocator allocator = region.allocator(host);
        VmSlot vm = region.vm(0);
        port.begins();
        for (int order = 0; order < ORDERS; order++) {
            long expect = (Long) port.call(Call.of(Kind.ORDER, order));
            try {
                if (takeOver(port, region, allocator, vm, host, expect)) {
                    return;
                }
            } catch (TomboloException _) {
                // The VM is somebody else's by now: this host waits for its next order.
            }
        }
    }

    private boolean takeOver(Lives.Port port, Region region, FrameAllocator allocator, VmSlot vm, int host,
            long expect) {
        long mine = begin(port, region, vm, host, expect);
        if (mine == 0) {
            return false;
        }
        port.call(Call.of(Kind.BEGUN, OwnerWord.epoch(mine)));
        await(port, mine);
        Takeover.Recovered recovered = Takeover.recover(region, vm, mine, MemorySegment.ofArray(new byte[4096]));
        if (!recovered.isResumable()) {
            throw new IllegalStateException("the VM is lost: " + recovered.lostReason());
        }
        Blob state = recovered.state();
        byte[] line = line(state.bytes(), state.length());
        PageCheckpoint checkpoint = checkpoint(region, allocator, vm, mine, state);
        Running running = new Running(region, vm, host, OwnerWord.epoch(mine), checkpoint, line);
        if (!commitRecovered(running)) {
            return false;
        }
        port.call(new Call(Kind.RESUME, 0, OwnerWord.epoch(mine), 0, new Bytes(line)));
        if (!Takeover.finish(region, vm, mine, OwnerState.RUNNING)) {
            return false;
        }
        execute(port, running, nextOwnerSteps);
        return true;
    }

    // ---- what tests replace

    Memory port(Lives.Port port) {
        return port;
    }

    long begin(Lives.Port port, Region region, VmSlot vm, int host, long expect) {
        return Takeover.begin(region, vm, host, expect);
    }

    void await(Lives.Port port, long mine) {
        port.call(Call.of(Kind.AWAIT, mine));
    }

    PageCheckpoint checkpoint(Region region, FrameAllocator allocator, VmSlot vm, long mine, Blob state) {
        return Takeover.checkpoint(region, allocator, vm, mine, state);
    }

    boolean commitRecovered(Running running) {
        return running.commit();
    }

    /// Whether clients are told before the commit that covers what they are told.
    boolean tellsBeforeCommit() {
        return false;
    }

    /// Whether somebody who reads is told at once.
    boolean answersReads() {
        return false;
    }

    // ---- executing

    /// The vCPU's loop: looks at its right between instructions, writes or commits.
    private void execute(Lives.Port port, Running running, int steps) {
        for (int step = 0; step < steps; step++) {
            if (!running.mayRun()) {
                stop(running);
                return;
            }
            int choice = (Integer) port.call(Call.of(Kind.CHOOSE, running.isDirty() ? 2 : 1));
            if (choice == 0) {
                // Pages in turn.
                int page = running.line.length % PAGES;
                byte value = running.next(page);
                port.call(Call.of(Kind.EXECUTE, running.epoch));
                running.write(page, value);
                if (answersReads()) {
                    tell(port, running);
                }
            } else {
                if (tellsBeforeCommit()) {
                    tell(port, running);
                }
                if (!running.commit()) {
                    stop(running);
                    return;
                }
                tell(port, running);
            }
        }
    }

    private static void tell(Lives.Port port, Running running) {
        port.call(new Call(Kind.TELL, 0, running.epoch, 0, new Bytes(running.line)));
    }

    /// The host stops what it runs when it may not run it, and says so if it is fenced.
    private static void stop(Running running) {
        long word = running.region.host(running.host).wordAcquire();
        if (SlotWord.state(word) == HostState.FENCING) {
            HostSlots.markStopped(running.region, running.host, SlotWord.incarnation(word));
        }
    }

    static byte[] line(MemorySegment bytes, int length) {
        return bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /// What pages hold after all that was written.
    static long contents(byte[] line, int page) {
        long last = 0;
        for (byte value : line) {
            last = (value & 1) == page ? value : last;
        }
        return last;
    }

    /// The frame in which a page is now.
    static long frameOf(Memory memory, RegionImage image, int page) {
        return PageTableEntry.frame(memory.load(image.entry(page)));
    }

    /// The VM at the host that executes it.
    static final class Running {
        private final Region region;
        private final VmSlot vm;
        private final int host;
        private final long epoch;
        private final PageCheckpoint checkpoint;
        private final PageTable table;
        private final List<Long> written = new ArrayList<>(List.of(-1L, -1L));
        private byte[] line;

        Running(Region region, VmSlot vm, int host, long epoch, PageCheckpoint checkpoint, byte[] line) {
            this.region = region;
            this.vm = vm;
            this.host = host;
            this.epoch = epoch;
            this.checkpoint = checkpoint;
            this.table = vm.pageTable();
            this.line = line;
        }

        byte[] line() {
            return line;
        }

        boolean isDirty() {
            return written.stream().anyMatch(frame -> frame >= 0);
        }

        boolean mayRun() {
            return SlotWord.state(region.host(host).wordAcquire()) == HostState.LIVE
                    && vm.ownerAcquire() == OwnerWord.pack(OwnerState.RUNNING, host, epoch);
        }

        /// The next value for a page.
        byte next(int page) {
            return (byte) ((epoch - EPOCH) << 5 | ((line.length + 1) << 1 & 0x1E) | page);
        }

        void write(int page, byte value) {
            long frame = written.get(page);
            if (frame < 0) {
                long entry = checkpoint.firstWrite(page, table.entryAcquire(page));
                if (entry <= 0) {
                    throw new IllegalStateException("first write of page " + page + ": " + entry);
                }
                frame = PageTableEntry.frame(entry);
                written.set(page, frame);
            }
            region.memory().store(region.frameDataOffset(frame), value);
            line = Arrays.copyOf(line, line.length + 1);
            line[line.length - 1] = value;
        }

        boolean commit() {
            MetadataSlot slot = checkpoint.next();
            slot.writePayload(MemorySegment.ofArray(line), line.length);
            boolean committed = checkpoint.commit(epoch, line.length, SCHEMA, false);
            written.replaceAll(_ -> -1L);
            return committed;
        }
    }
}
