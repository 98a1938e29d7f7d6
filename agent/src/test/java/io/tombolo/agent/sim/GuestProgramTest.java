package io.tombolo.agent.sim;

import io.tombolo.agent.pages.GuestCopier;
import static io.tombolo.agent.sim.SimFixtures.MIB;
import static io.tombolo.agent.sim.VcpuRegisters.CHECKS;
import static io.tombolo.agent.sim.VcpuRegisters.ERRORS;
import static io.tombolo.agent.sim.VcpuRegisters.FIRST_ERROR_GPA;
import static io.tombolo.agent.sim.VcpuRegisters.FIRST_ERROR_KIND;
import static io.tombolo.agent.sim.VcpuRegisters.INSTRUCTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

final class GuestProgramTest {
    @TempDir
    Path directory;

    static Stream<Arguments> programsAndPatterns() {
        return GuestProgram.ALL.stream().flatMap(
                program -> Stream.of(AccessPattern.values()).map(pattern -> Arguments.of(program.label(), pattern)));
    }

    @ParameterizedTest
    @MethodSource("programsAndPatterns")
    void leavesTheSameImageOnFlatAndPagedMemoryInSlicesOfAnyLength(String label, AccessPattern pattern) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        GuestSpec spec = SimFixtures.spec(GuestProgram.of(label), MIB, 2, pattern, seed);
        SplittableRandom random = new SplittableRandom(seed);
        try (ScratchMemory scratch = new ScratchMemory(MIB, seed)) {
            SimulatedState state = SimulatedState.fresh(spec);
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                spec.program().boot(state.vcpu(vcpu), scratch.memory(), spec);
                for (long left = 20_000; left > 0;) {
                    long slice = Math.min(left, random.nextLong(500));
                    spec.program().run(state.vcpu(vcpu), scratch.memory(), slice);
                    left -= slice;
                }
            }
            try (ReferenceRun reference = ReferenceRun.compute(spec, new long[]{20_000, 20_000}, List.of(),
                    directory)) {
                MemoryComparison.Result result = MemoryComparison.compare(scratch.memory(), reference.memory(),
                        new GuestCopier());
                assertThat(result.identical()).as(result.toString()).isTrue();
                assertThat(result.writtenPages()).isGreaterThan(100);
                assertThat(reference.registerDifference(state)).isEmpty();
            }
            assertThat(state.errors()).isZero();
            assertThat(state.checks()).isGreaterThanOrEqualTo(40_000);
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                spec.program().checkAll(state.vcpu(vcpu), scratch.memory());
            }
            assertThat(state.errors()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("programsAndPatterns")
    void leavesAnotherImageForAnotherSeed(String label, AccessPattern pattern) {
        GuestProgram program = GuestProgram.of(label);
        try (ScratchMemory scratch = new ScratchMemory(MIB, 1)) {
            SimFixtures.runFresh(SimFixtures.spec(program, MIB, 1, pattern, 1), scratch.memory(), 1000);
            try (ReferenceRun other = ReferenceRun.compute(SimFixtures.spec(program, MIB, 1, pattern, 2),
                    new long[]{1000}, List.of(), directory)) {
                assertThat(MemoryComparison.compare(scratch.memory(), other.memory(), new GuestCopier()).identical())
                        .isFalse();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("programsAndPatterns")
    void findsEveryFlippedBitOfMemoryItUses(String label, AccessPattern pattern) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        GuestSpec spec = SimFixtures.spec(GuestProgram.of(label), 64 * 4096, 1, pattern, seed);
        SplittableRandom random = new SplittableRandom(seed);
        try (ScratchMemory scratch = new ScratchMemory(64 * 4096, seed)) {
            GuestMemory memory = scratch.memory();
            VcpuRegisters regs = SimFixtures.runFresh(spec, memory, 5000).vcpu(0);
            List<Long> used = new ArrayList<>();
            for (long gpa = 0; gpa < memory.bytes(); gpa += 8) {
                if (memory.getLong(gpa) != 0) {
                    used.add(gpa);
                }
            }
            for (int i = 0; i < 300; i++) {
                long gpa = used.get(random.nextInt(used.size()));
                long before = memory.getLong(gpa);
                memory.setLong(gpa, before ^ (1L << random.nextInt(64)));
                VcpuRegisters copy = new VcpuRegisters();
                copy.copyFrom(regs);
                spec.program().checkAll(copy, memory);
                assertThat(copy.get(ERRORS)).as("flip at gpa %d", gpa).isPositive();
                memory.setLong(gpa, before);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(AccessPattern.class)
    void noticesDamageWhileItRuns(AccessPattern pattern) {
        GuestSpec spec = SimFixtures.spec(GuestProgram.DIRTY, 16 * 4096, 1, pattern, 5);
        try (ScratchMemory scratch = new ScratchMemory(16 * 4096, 5)) {
            VcpuRegisters regs = SimFixtures.runFresh(spec, scratch.memory(), 1000).vcpu(0);
            long gpa = 3 * 4096 + 2 * PageVisitor.WORD_STRIDE_BYTES;
            scratch.memory().setLong(gpa, scratch.memory().getLong(gpa) ^ 1);
            GuestProgram.DIRTY.run(regs, scratch.memory(), 1000);
            assertThat(regs.get(ERRORS)).isEqualTo(1);
            assertThat(SelfCheck.describe(regs.get(FIRST_ERROR_KIND))).isEqualTo("PAGE_WORD");
            assertThat(regs.get(FIRST_ERROR_GPA)).isEqualTo(gpa);
            assertThat(regs.get(CHECKS)).isEqualTo(2000);
        }
    }

    @Test
    void noticesAPageThatWentBackToAnOlderVersion() {
        for (AccessPattern pattern : AccessPattern.values()) {
            GuestSpec spec = SimFixtures.spec(GuestProgram.DIRTY, 16 * 4096, 1, pattern, 6);
            try (ScratchMemory scratch = new ScratchMemory(16 * 4096, 6)) {
                VcpuRegisters regs = SimFixtures.runFresh(spec, scratch.memory(), 1000).vcpu(0);
                byte[] old = new byte[4096];
                java.lang.foreign.MemorySegment oldPage = java.lang.foreign.MemorySegment.ofArray(old);
                long offset = scratch.memory().placeOf(7L << GuestMemory.PAGE_SHIFT);
                oldPage.copyFrom(scratch.data().asSlice(offset, 4096));
                GuestProgram.DIRTY.run(regs, scratch.memory(), 1000);
                scratch.data().asSlice(offset, 4096).copyFrom(oldPage);
                GuestProgram.DIRTY.checkAll(regs, scratch.memory());
                assertThat(regs.get(ERRORS)).as(pattern.label()).isPositive();
                assertThat(SelfCheck.describe(regs.get(FIRST_ERROR_KIND))).isEqualTo("PAGE_VERSION");
            }
        }
    }

    @Test
    void zipfPrefersFewPagesAndReachesAll() {
        long[] hits = new long[1000];
        long[] r = new long[64];
        for (int i = 0; i < 1_000_000; i++) {
            hits[(int) Mix.zipf(Mix.next(r), 1000)]++;
        }
        java.util.Arrays.sort(hits);
        assertThat(hits[0]).isPositive();
        long hottest = 0;
        for (int i = 990; i < 1000; i++) {
            hottest += hits[i];
        }
        // Zipf with exponent 1 over 1000 ranks: the first ten have H(10)/H(1000) = 39 %.
        assertThat(hottest / 1e6).isBetween(0.30, 0.50);
    }

    @Test
    void sequentialVisitsEveryPageEquallyOften() {
        GuestSpec spec = SimFixtures.spec(GuestProgram.DIRTY, 16 * 4096, 1, AccessPattern.SEQUENTIAL, 1);
        try (ScratchMemory scratch = new ScratchMemory(16 * 4096, 1)) {
            SimFixtures.runFresh(spec, scratch.memory(), 160);
            Set<Long> versions = new HashSet<>();
            for (long page = 0; page < 16; page++) {
                versions.add(scratch.memory().getLong(page * 4096));
            }
            assertThat(versions).containsExactly(10L);
        }
    }

    @Test
    void staysInsideItsWorkingSetAndItsOwnPart() {
        GuestSpec spec = new GuestSpec(SimFixtures.UUID_1, 100 * 4096, 3, GuestProgram.DIRTY, 30 * 4096,
                AccessPattern.UNIFORM, 4);
        try (ReferenceRun run = ReferenceRun.compute(spec, new long[]{500, 500, 500}, List.of(), directory)) {
            for (long page = 0; page < 100; page++) {
                boolean expected = page % 33 < 10 && page < 99;
                assertThat(run.memory().written(page)).as("page %d", page).isEqualTo(expected);
            }
        }
    }

    @Test
    void refusesDefinitionsThatCannotRun() {
        assertThatThrownBy(() -> SimFixtures.spec(GuestProgram.KV, 16 * 4096, 1, AccessPattern.UNIFORM, 1))
                .isInstanceOf(TomboloException.class).hasMessageContaining("GUEST_SPEC_INVALID");
        assertThatThrownBy(() -> SimFixtures.spec(GuestProgram.DIRTY, 4097, 1, AccessPattern.UNIFORM, 1))
                .hasMessageContaining("multiple of 4096");
        assertThatThrownBy(() -> SimFixtures.spec(GuestProgram.DIRTY, MIB, 65, AccessPattern.UNIFORM, 1))
                .hasMessageContaining("vcpus=65");
        assertThatThrownBy(() -> GuestProgram.of("linux")).hasMessageContaining("use dirty, kv or bank");
        assertThatThrownBy(() -> AccessPattern.of("random")).hasMessageContaining("pattern=random");
    }

    @Test
    void countsExactlyTheInstructionsItWasGivenUpToAFault() {
        GuestSpec spec = SimFixtures.spec(GuestProgram.DIRTY, 16 * 4096, 1, AccessPattern.SEQUENTIAL, 1);
        try (ScratchMemory scratch = new ScratchMemory(16 * 4096, 1)) {
            VcpuRegisters regs = SimFixtures.runFresh(spec, scratch.memory(), 10).vcpu(0);
            scratch.entry(13, 0);
            assertThatThrownBy(() -> GuestProgram.DIRTY.run(regs, scratch.memory(), 10)).isInstanceOf(GuestFault.class);
            assertThat(regs.get(INSTRUCTIONS)).isEqualTo(13);
        }
    }
}
