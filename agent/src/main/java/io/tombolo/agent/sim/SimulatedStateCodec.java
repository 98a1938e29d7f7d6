package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import io.tombolo.region.TomboloException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The blob that a hand-off carries: a [SimulatedState] as fixed-width bytes, written with Kryo's `Output` and read
/// with its `Input` over one reusable buffer. No Kryo object, no class ids, no variable-length numbers: the bytes are
/// exactly this table, little endian (schema 1).
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | schema, 1 |
/// | 4 | 4 | code of the program |
/// | 8 | 4 | code of the access pattern |
/// | 12 | 4 | vCPUs, n |
/// | 16 | 4 | registers per vCPU, 32 |
/// | 20 | 4 | 0 |
/// | 24 | 16 | UUID of the VM, high half first |
/// | 40 | 8 | guest memory in bytes |
/// | 48 | 8 | working set in bytes as defined, 0 = all |
/// | 56 | 8 | seed |
/// | 64 | 8 | time of the last instruction, CLOCK_MONOTONIC ns of that machine; 0 = not known |
/// | 72 + 264 i | 4 | index of the vCPU, i |
/// | 76 + 264 i | 4 | 0 |
/// | 80 + 264 i | 256 | registers 0 to 31 |
///
/// Integrity is the business of the slot around the blob (length and CRC-32C, checked before this). The decoder still
/// refuses every length, count, code, identity and reserved field that the target does not expect, and touches the
/// state only after all of them were found right.
///
/// Encoding and decoding allocate nothing. Not thread safe: one codec per VM and thread.
public final class SimulatedStateCodec {
    /// Version of the byte table; goes into the header of the metadata slot too.
    public static final int SCHEMA = 1;
    static final int HEADER_BYTES = 72;
    static final int VCPU_BYTES = 8 + VcpuRegisters.COUNT * Long.BYTES;

    private final byte[] buffer;
    private final MemorySegment bufferSegment;
    private final Output output;
    private final Input input;

    public SimulatedStateCodec(GuestSpec spec) {
        requireNonNull(spec, "spec is null");
        buffer = new byte[length(spec)];
        bufferSegment = MemorySegment.ofArray(buffer);
        output = new Output(buffer);
        input = new Input(buffer);
    }

    /// Bytes of the blob of such a VM; always the same for one VM.
    public static int length(GuestSpec spec) {
        return HEADER_BYTES + spec.vcpus() * VCPU_BYTES;
    }

    /// Writes the blob to the start of `into` and returns its length.
    ///
    /// @throws IndexOutOfBoundsException if `into` is shorter than [#length]
    public int encode(SimulatedState state, MemorySegment into) {
        output.setPosition(0);
        write(output, state);
        int length = output.position();
        MemorySegment.copy(buffer, 0, into, ValueLayout.JAVA_BYTE, 0, length);
        return length;
    }

    private static void write(Output out, SimulatedState state) {
        GuestSpec spec = state.spec();
        out.writeInt(SCHEMA);
        out.writeInt(spec.program().code());
        out.writeInt(spec.pattern().code());
        out.writeInt(spec.vcpus());
        out.writeInt(VcpuRegisters.COUNT);
        out.writeInt(0);
        out.writeLong(spec.uuid().getMostSignificantBits());
        out.writeLong(spec.uuid().getLeastSignificantBits());
        out.writeLong(spec.memoryBytes());
        out.writeLong(spec.workingSetBytes());
        out.writeLong(spec.seed());
        out.writeLong(state.stoppedAtNs());
        for (int i = 0; i < spec.vcpus(); i++) {
            out.writeInt(i);
            out.writeInt(0);
            long[] registers = state.vcpu(i).words();
            for (int register = 0; register < VcpuRegisters.COUNT; register++) {
                out.writeLong(registers[register]);
            }
        }
    }

    /// Reads a blob of `length` bytes from the start of `from` into a state of the VM that is expected.
    ///
    /// `from` must be private memory: it is copied first, but what was checked outside must be what is read here.
    ///
    /// @throws TomboloException [SimError#GUEST_STATE_DAMAGED] or [SimError#GUEST_STATE_FOREIGN]; the state is
    ///         unchanged
    public void decode(MemorySegment from, int length, SimulatedState into) {
        if (length != buffer.length || from.byteSize() < length) {
            throw damaged("length", 0, Math.min(length, from.byteSize()), buffer.length);
        }
        MemorySegment.copy(from, 0, bufferSegment, 0, length);
        checkHeader(into.spec());
        checkVcpus(into.spec());
        input.setPosition(HEADER_BYTES - Long.BYTES);
        into.stoppedAtNs(input.readLong());
        for (int i = 0; i < into.spec().vcpus(); i++) {
            input.skip(8);
            long[] registers = into.vcpu(i).words();
            for (int register = 0; register < VcpuRegisters.COUNT; register++) {
                registers[register] = input.readLong();
            }
        }
    }

    private void checkHeader(GuestSpec spec) {
        input.setBuffer(buffer);
        expect("schema", input.readInt(), SCHEMA);
        same("program", input.readInt(), spec.program().code());
        same("pattern", input.readInt(), spec.pattern().code());
        same("vcpus", input.readInt(), spec.vcpus());
        expect("registersPerVcpu", input.readInt(), VcpuRegisters.COUNT);
        expect("reserved", input.readInt(), 0);
        same("uuidHigh", input.readLong(), spec.uuid().getMostSignificantBits());
        same("uuidLow", input.readLong(), spec.uuid().getLeastSignificantBits());
        same("memoryBytes", input.readLong(), spec.memoryBytes());
        same("workingSetBytes", input.readLong(), spec.workingSetBytes());
        same("seed", input.readLong(), spec.seed());
        input.skip(Long.BYTES);
    }

    private void checkVcpus(GuestSpec spec) {
        for (int i = 0; i < spec.vcpus(); i++) {
            expect("vcpu", input.readInt(), i);
            expect("reserved", input.readInt(), 0);
            for (int register = 0; register < VcpuRegisters.COUNT; register++) {
                long value = input.readLong();
                switch (register) {
                    case VcpuRegisters.PROGRAM -> expect("register PROGRAM", value, spec.program().code());
                    case VcpuRegisters.VCPU -> expect("register VCPU", value, i);
                    case VcpuRegisters.RESERVED, VcpuRegisters.RESERVED + 1, VcpuRegisters.RESERVED + 2,
                            VcpuRegisters.RESERVED + 3 ->
                        expect("register RESERVED", value, 0);
                    default -> {
                        // Any value is a value of these.
                    }
                }
            }
        }
    }

    private void expect(String field, long found, long expected) {
        if (found != expected) {
            throw damaged(field, input.position(), found, expected);
        }
    }

    private void same(String field, long found, long expected) {
        if (found != expected) {
            throw TomboloException.error(SimError.GUEST_STATE_FOREIGN, "the state is of another VM or definition")
                    .fact("field", field).fact("endOffset", input.position()).fact("found", found)
                    .fact("expected", expected).next("tombolo region inspect").build();
        }
    }

    private static TomboloException damaged(String field, int endOffset, long found, long expected) {
        return TomboloException.error(SimError.GUEST_STATE_DAMAGED, "the state of a simulated VM is damaged")
                .fact("field", field).fact("endOffset", endOffset).fact("found", found).fact("expected", expected)
                .next("tombolo region inspect").build();
    }
}
