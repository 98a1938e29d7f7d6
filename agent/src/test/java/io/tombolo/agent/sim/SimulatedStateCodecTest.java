package io.tombolo.agent.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.tombolo.region.TomboloException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class SimulatedStateCodecTest {
    private static final GuestSpec SPEC = new GuestSpec(SimFixtures.UUID_1, 0x40000000L, 1, GuestProgram.KV, 0x1000000L,
            AccessPattern.ZIPF, 0x0123456789ABCDEFL);

    /// Golden bytes of schema 1. A change here is a change of the format: it needs a new schema number.
    private static final String GOLDEN = """
            01000000 02000000 03000000 01000000 20000000 00000000
            7766554433221100 ffeeddccbbaa9988
            0000004000000000 0000000100000000 efcdab8967452301 1500000000000000
            00000000 00000000
            0001000000000000 0101000000000000 0200000000000000 0000000000000000
            0401000000000000 0501000000000000 0601000000000000 0701000000000000
            0801000000000000 0901000000000000 0a01000000000000 0b01000000000000
            0000000000000000 0000000000000000 0000000000000000 0000000000000000
            1001000000000000 1101000000000000 1201000000000000 1301000000000000
            1401000000000000 1501000000000000 1601000000000000 1701000000000000
            1801000000000000 1901000000000000 1a01000000000000 1b01000000000000
            1c01000000000000 1d01000000000000 1e01000000000000 1f01000000000000
            """;

    private static SimulatedState sample() {
        SimulatedState state = SimulatedState.fresh(SPEC);
        for (int register = 0; register < VcpuRegisters.COUNT; register++) {
            boolean free = register != VcpuRegisters.PROGRAM && register != VcpuRegisters.VCPU
                    && (register < VcpuRegisters.RESERVED || register >= VcpuRegisters.PROGRAM_0);
            if (free) {
                state.vcpu(0).set(register, 0x100 + register);
            }
        }
        state.stoppedAtNs(0x15);
        return state;
    }

    private static byte[] encoded(SimulatedState state) {
        byte[] bytes = new byte[SimulatedStateCodec.length(state.spec())];
        new SimulatedStateCodec(state.spec()).encode(state, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private static boolean sameRegisters(SimulatedState a, SimulatedState b) {
        for (int vcpu = 0; vcpu < a.spec().vcpus(); vcpu++) {
            for (int register = 0; register < VcpuRegisters.COUNT; register++) {
                if (a.vcpu(vcpu).get(register) != b.vcpu(vcpu).get(register)) {
                    return false;
                }
            }
        }
        return a.stoppedAtNs() == b.stoppedAtNs();
    }

    @Test
    void writesTheGoldenBytes() {
        assertThat(HexFormat.of().formatHex(encoded(sample()))).isEqualTo(GOLDEN.replaceAll("\\s", ""));
    }

    @Test
    void readsTheGoldenBytes() {
        byte[] golden = HexFormat.of().parseHex(GOLDEN.replaceAll("\\s", ""));
        SimulatedState into = new SimulatedState(SPEC);
        new SimulatedStateCodec(SPEC).decode(MemorySegment.ofArray(golden), golden.length, into);
        assertThat(sameRegisters(into, sample())).isTrue();
    }

    @Test
    void roundTripsRandomStatesOfManyVcpus() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int vcpus = 1; vcpus <= GuestSpec.MAX_VCPUS; vcpus++) {
            GuestSpec spec = SimFixtures.spec(GuestProgram.DIRTY, 64 * 4096, vcpus, AccessPattern.UNIFORM,
                    random.nextLong());
            SimulatedState state = SimulatedState.fresh(spec);
            for (int vcpu = 0; vcpu < vcpus; vcpu++) {
                for (int register = VcpuRegisters.PROGRAM_0; register < VcpuRegisters.COUNT; register++) {
                    state.vcpu(vcpu).set(register, random.nextLong());
                }
            }
            state.stoppedAtNs(random.nextLong());
            byte[] bytes = encoded(state);
            SimulatedState into = new SimulatedState(spec);
            new SimulatedStateCodec(spec).decode(MemorySegment.ofArray(bytes), bytes.length, into);
            assertThat(sameRegisters(into, state)).isTrue();
        }
    }

    @Test
    void refusesEveryOtherLengthAndLeavesTheStateAlone() {
        byte[] bytes = encoded(sample());
        SimulatedStateCodec codec = new SimulatedStateCodec(SPEC);
        SimulatedState into = SimulatedState.fresh(SPEC);
        for (int length = 0; length < bytes.length; length++) {
            int shorter = length;
            assertThatThrownBy(() -> codec.decode(MemorySegment.ofArray(bytes), shorter, into))
                    .hasMessageStartingWith("GUEST_STATE_DAMAGED");
            assertThatThrownBy(() -> codec.decode(MemorySegment.ofArray(bytes).asSlice(0, shorter), bytes.length, into))
                    .hasMessageStartingWith("GUEST_STATE_DAMAGED");
        }
        assertThatThrownBy(() -> codec.decode(MemorySegment.ofArray(new byte[1000]), 1000, into))
                .hasMessageContaining("expected=" + bytes.length);
        assertThat(sameRegisters(into, SimulatedState.fresh(SPEC))).isTrue();
    }

    /// A flip outside the registers is refused; inside them any value is a value, and the CRC of the slot is what
    /// finds it. So every flip either is refused with the state untouched or changes exactly the register that it
    /// hit.
    @Test
    void refusesEveryFlippedBitOutsideTheFreeRegisters() {
        byte[] bytes = encoded(sample());
        SimulatedStateCodec codec = new SimulatedStateCodec(SPEC);
        int refused = 0;
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            SimulatedState into = SimulatedState.fresh(SPEC);
            boolean accepted;
            try {
                codec.decode(MemorySegment.ofArray(bytes), bytes.length, into);
                accepted = true;
            } catch (TomboloException e) {
                accepted = false;
                refused++;
                assertThat(e.code()).isIn(SimError.GUEST_STATE_DAMAGED, SimError.GUEST_STATE_FOREIGN);
                assertThat(sameRegisters(into, SimulatedState.fresh(SPEC))).isTrue();
            }
            boolean time = bit / 8 >= 64 && bit / 8 < 72;
            int register = (bit / 8 - 80) / 8;
            boolean fixed = register == VcpuRegisters.PROGRAM || register == VcpuRegisters.VCPU
                    || (register >= VcpuRegisters.RESERVED && register < VcpuRegisters.PROGRAM_0);
            boolean free = time || (bit / 8 >= 80 && !fixed);
            assertThat(accepted).as("bit %d", bit).isEqualTo(free);
            if (accepted && !time) {
                assertThat(into.vcpu(0).get(register) ^ sample().vcpu(0).get(register)).isEqualTo(1L << bit % 64);
            }
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
        }
        assertThat(refused).isEqualTo(8 * (64 + 8 + 6 * 8));
    }

    @Test
    void refusesTheStateOfAnotherDefinitionByName() {
        byte[] bytes = encoded(sample());
        GuestSpec other = new GuestSpec(SPEC.uuid(), SPEC.memoryBytes(), 1, GuestProgram.BANK, SPEC.workingSetBytes(),
                SPEC.pattern(), SPEC.seed());
        assertThatThrownBy(
                () -> new SimulatedStateCodec(other).decode(MemorySegment.ofArray(bytes), bytes.length,
                        new SimulatedState(other)))
                .hasMessageStartingWith("GUEST_STATE_FOREIGN").hasMessageContaining("field=program");
    }

    @Test
    void allocatesNothing() {
        SimulatedStateCodec codec = new SimulatedStateCodec(SPEC);
        SimulatedState state = sample();
        MemorySegment blob = MemorySegment.ofArray(new byte[4096]);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int length = 0;
        for (int i = 0; i < 20_000; i++) {
            length = codec.encode(state, blob);
            codec.decode(blob, length, state);
        }
        // The first call of the counter itself may allocate.
        long unused = threads.getCurrentThreadAllocatedBytes();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 20_000; i++) {
            codec.decode(blob, codec.encode(state, blob), state);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(unused).isPositive();
        // Less than a byte per round: nothing per call, some slack for a compilation that happens meanwhile.
        assertThat(allocated).isLessThan(20_000);
    }
}
