package io.tombolo.chaos.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.Memory;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.lang.foreign.MemorySegment;

/// The memory port of one process of a simulated world: every call is a step, at which others may run, the process may
/// die, and the invariants are checked.
class HostMemory implements Memory {
    private final World world;
    private final SimProcess process;
    private final SimMemory memory;

    HostMemory(World world, SimProcess process) {
        this.world = requireNonNull(world, "world is null");
        this.process = requireNonNull(process, "process is null");
        this.memory = world.memory();
    }

    final World world() {
        return world;
    }

    final SimProcess process() {
        return process;
    }

    private void trace(String did, long offset, long value, String was) {
        String name = world.troubles().armed() ? world.oracle().name(offset, value) : null;
        if (name != null) {
            world.trace(() -> process + did + name + was);
        }
    }

    private void step() {
        world.step(process);
    }

    @Override
    public long bytes() {
        return memory.bytes();
    }

    @Override
    public long load(long offset) {
        step();
        return memory.get(offset);
    }

    @Override
    public long loadAcquire(long offset) {
        step();
        long value = memory.get(offset);
        if (world.plan().hot() && world.oracle().isOwnerWord(offset) && OwnerWord.is(value, OwnerState.OFFERED)) {
            world.scheduler().mayLoseCore(4, 400_000);
        }
        return value;
    }

    @Override
    public void store(long offset, long value) {
        step();
        world.oracle().beforeStore(process, offset, value);
        if (world.tracing()) {
            trace(" stores ", offset, value, "");
        }
        memory.set(process, offset, value);
    }

    @Override
    public void storeRelease(long offset, long value) {
        store(offset, value);
    }

    @Override
    public boolean compareAndSet(long offset, long expect, long next) {
        step();
        long found = memory.get(offset);
        if (found != expect) {
            if (world.tracing()) {
                trace(" fails to set ", offset, next,
                        ", was " + world.oracle().name(offset, found));
            }
            return false;
        }
        world.oracle().beforeCas(process, offset, expect, next);
        if (world.tracing()) {
            trace(" sets ", offset, next,
                    ", was " + world.oracle().name(offset, found));
        }
        memory.set(process, offset, next);
        return true;
    }

    private interface Part {
        void store(long at, long count);
    }

    private void bulk(long offset, long count, Part part) {
        long stride = count <= 512
                ? SimMemory.LINE
                : Math.max(SimMemory.LINE, count / 4 / SimMemory.LINE
                        * SimMemory.LINE);
        long at = offset;
        long nextStep = offset;
        while (at < offset + count) {
            if (at >= nextStep) {
                step();
                world.oracle().beforeBulk(process, at, Math.min(offset + count, nextStep + stride) - at);
                nextStep += stride;
            }
            long start = at;
            long end = Math.min(offset + count, (at / SimMemory.LINE + 1) * SimMemory.LINE);
            memory.bulk(process, at, () -> part.store(start, end - start));
            at = end;
        }
    }

    @Override
    public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
        bulk(offset, count,
                (at, size) -> MemorySegment.copy(source, sourceOffset + at - offset, memory.view(), at, size));
    }

    @Override
    public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
        step();
        MemorySegment.copy(memory.view(), offset, target, targetOffset, count);
    }

    @Override
    public void copy(long fromOffset, long toOffset, long count) {
        bulk(toOffset, count,
                (at, size) -> MemorySegment.copy(memory.view(), fromOffset + at - toOffset, memory.view(), at, size));
    }

    @Override
    public void zero(long offset, long count) {
        bulk(offset, count, (at, size) -> memory.view().asSlice(at, size).fill((byte) 0));
    }

    @Override
    public void writeBack(long offset, long count) {
        step();
        world.oracle().beforeWriteBack(process, offset, count);
        memory.writeBack(process, offset, count);
    }

    @Override
    public void fence() {
        step();
        memory.fence(process);
        if (world.plan().busyMovers()) {
            // Between a copy and what publishes it.
            world.scheduler().mayLoseCore(4, 50_000);
        }
    }

    /// The bytes themselves. What is stored through it is no step.
    @Override
    public MemorySegment segment(long offset, long count) {
        return memory.view().asSlice(offset, count);
    }

    /// A load of a vCPU, at a step that was announced before.
    long rawLoad(long offset) {
        return memory.get(offset);
    }

    /// A store of a vCPU, at a step that was announced before.
    void guestStore(long offset, long value) {
        world.oracle().beforeStore(process, offset, value);
        memory.set(process, offset, value);
    }

    /// Stores words at a segment that this port handed out, as the product does without telling the port.
    void storeThrough(MemorySegment segment, long... values) {
        for (int i = 0; i < values.length; i++) {
            store(segment.address() + i * 8L, values[i]);
        }
    }
}
