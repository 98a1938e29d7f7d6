package io.tombolo.agent.pages;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.FrameAllocator;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Region;
import io.tombolo.region.VmGate;
import io.tombolo.region.VmPins;
import io.tombolo.region.VmSlot;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/// The pages of one VM while this host owns it: what its vCPUs and its movers share. Thread safe as its parts are.
public final class VmPages {
    private final VmSlot slot;
    private final PageTable table;
    private final PageSize size;
    private final VmGate gate;
    private final VmPins pins;
    private final FrameAllocator allocator;
    private final MemorySegment shared;
    private final LocalTier local;
    private final PageBits bits;
    private final Shootdown shootdown;
    private final PageWaits waits = new PageWaits();
    /// Operations behind the gate or on their way in.
    private final AtomicInteger entering = new AtomicInteger();
    private volatile boolean closed;

    /// @param slot      slot of a VM whose memory is frames of the region
    /// @param allocator frames of the region, for this host
    /// @param local     this host's own tier; null if it has none
    public VmPages(Region region, VmSlot slot, FrameAllocator allocator, LocalTier local, int vcpus) {
        this.slot = requireNonNull(slot, "slot is null");
        this.table = slot.pageTable();
        this.size = table.pageSize();
        this.gate = slot.gate();
        this.pins = slot.pins();
        this.allocator = requireNonNull(allocator, "allocator is null");
        this.shared = region.data();
        this.local = local;
        this.bits = new PageBits(table.pages());
        this.shootdown = new Shootdown(vcpus);
    }

    public VmSlot slot() {
        return slot;
    }

    public PageTable table() {
        return table;
    }

    public PageSize size() {
        return size;
    }

    public VmGate gate() {
        return gate;
    }

    public VmPins pins() {
        return pins;
    }

    /// Lets an operation of this host pass the VM's gate, if this host may store to the VM; see [#leave].
    ///
    /// Counted here before the gate is looked at: a thread that has found the gate open, and then loses its core while
    /// the VM goes to another host and its gate is opened there, would enter by the same word. So who hands the VM over
    /// waits for [#drained], which is not true while a thread is on its way in.
    ///
    /// @param right asked after the gate was found open; it does not hold for a VM that [#isClosed] here
    public boolean enter(BooleanSupplier right) {
        entering.incrementAndGet();
        boolean in = false;
        try {
            in = gate.enter(right);
            return in;
        } finally {
            if (!in) {
                entering.decrementAndGet();
            }
        }
    }

    /// The operation that [#enter] let in is over.
    public void leave() {
        gate.leave();
        entering.decrementAndGet();
    }

    /// Nothing of this host is behind the gate, or on its way in. Lasting while the gate is closed.
    public boolean drained() {
        return entering.get() == 0 && gate.drained();
    }

    FrameAllocator allocator() {
        return allocator;
    }

    /// Gives back the blocks of the region that this host has claimed for moves and does not need any more.
    public void trim() {
        allocator.trim();
    }

    /// The region's frames.
    public MemorySegment shared() {
        return shared;
    }

    /// This host's own tier; null if it has none.
    public LocalTier local() {
        return local;
    }

    /// Its frames; [MemorySegment#NULL] if it has none.
    public MemorySegment localData() {
        return local == null ? MemorySegment.NULL : local.data();
    }

    public PageBits bits() {
        return bits;
    }

    /// How long vCPUs waited for moving pages.
    public PageWaits waits() {
        return waits;
    }

    /// The guest has left this host or is being destroyed: no batch begins any more.
    public void close() {
        closed = true;
    }

    public boolean isClosed() {
        return closed;
    }

    public Shootdown shootdown() {
        return shootdown;
    }

    /// By a vCPU that waits for a page and has the right to run: ends the mark of a mover that does not get on, because
    /// it has lost its core. The page stays where it was, and the mover finds that it cannot publish its copy. Returns
    /// false if the entry is another one by now.
    public boolean takeBack(long page, long entry) {
        return PageTableEntry.state(entry) == PteState.MIGRATING
                && table.compareAndSet(page, entry, PageTableEntry.with(entry, PteState.PRESENT));
    }
}
