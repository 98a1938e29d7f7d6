package io.tombolo.agent.sim;

import io.tombolo.agent.pages.GuestCopier;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GuestMemoryTest {
    private static final long BYTES = 64 * 4096;

    @TempDir
    Path directory;

    private static GuestFault.Kind faultOf(Runnable access) {
        try {
            access.run();
        } catch (GuestFault fault) {
            return fault.kind();
        }
        return null;
    }

    @Test
    void refusesTheSameAddressesOnFlatAndPagedMemory() {
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 1);
                FlatMemory flat = FlatMemory.sparse(BYTES, directory)) {
            for (GuestMemory memory : new GuestMemory[]{scratch.memory(), flat}) {
                for (long gpa : new long[]{BYTES, BYTES + 8, -8, Long.MIN_VALUE, Long.MAX_VALUE - 7, 1L << 40}) {
                    assertThat(faultOf(() -> memory.getLong(gpa))).isEqualTo(GuestFault.Kind.OUT_OF_RANGE);
                    assertThat(faultOf(() -> memory.setLong(gpa, 1))).isEqualTo(GuestFault.Kind.OUT_OF_RANGE);
                }
                for (long gpa : new long[]{1, 4, 4095, BYTES - 1, -1}) {
                    assertThat(faultOf(() -> memory.getLong(gpa))).isEqualTo(GuestFault.Kind.MISALIGNED);
                    assertThat(faultOf(() -> memory.setLong(gpa, 1))).isEqualTo(GuestFault.Kind.MISALIGNED);
                }
                memory.setLong(BYTES - 8, 7);
                assertThat(memory.getLong(BYTES - 8)).isEqualTo(7);
            }
        }
    }

    @Test
    void readsBackEveryPageThroughScatteredFrames() {
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 2)) {
            GuestMemory memory = scratch.memory();
            for (long gpa = 0; gpa < BYTES; gpa += 8) {
                memory.setLong(gpa, Mix.finish(gpa));
            }
            for (long gpa = 0; gpa < BYTES; gpa += 8) {
                assertThat(memory.getLong(gpa)).isEqualTo(Mix.finish(gpa));
            }
        }
    }

    @Test
    void faultsOnAnEntryThatNamesAFrameOutsideTheDataArea() {
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 3)) {
            for (long frame : new long[]{64, 65, 1L << 30, (1L << 36) - 1}) {
                scratch.entry(5, ScratchMemory.present(frame));
                assertThat(faultOf(() -> scratch.memory().getLong(5 * 4096))).isEqualTo(GuestFault.Kind.BAD_FRAME);
            }
        }
    }

    @Test
    void asksTheHandlerWhileAnEntryIsNotPresentAndThenUsesTheNewFrame() {
        AtomicLong asked = new AtomicLong();
        ScratchMemory[] holder = new ScratchMemory[1];
        PageFaultHandler handler = (page, entry) -> {
            assertThat(page).isEqualTo(9);
            // The first answer is another page state that is not present, as a mover would leave behind for a moment.
            holder[0].entry(9, asked.incrementAndGet() == 1 ? 3L << 60 : ScratchMemory.present(0));
        };
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 4, handler)) {
            holder[0] = scratch;
            scratch.entry(9, 2L << 60);
            scratch.memory().setLong(9 * 4096 + 16, 42);
            assertThat(asked.get()).isEqualTo(2);
            assertThat(scratch.data().get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 16)).isEqualTo(42);
        }
    }

    @Test
    void faultsWithoutAMoverOnAbsentAndMigratingPagesAndWithoutATierOnLocalOnes() {
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 5)) {
            for (long kind : new long[]{0x00, 0x20, 0x30, 0xF0}) {
                scratch.entry(3, kind << 56);
                assertThat(faultOf(() -> scratch.memory().getLong(3 * 4096))).isEqualTo(GuestFault.Kind.NOT_PRESENT);
            }
            scratch.entry(3, 0x11L << 56);
            assertThat(faultOf(() -> scratch.memory().getLong(3 * 4096))).isEqualTo(GuestFault.Kind.BAD_FRAME);
        }
    }

    @Test
    void refusesATableShorterThanTheMemory() {
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 6)) {
            assertThatThrownBy(
                    () -> new PagedMemory(BYTES, scratch.data().asSlice(0, 63 * 8), scratch.data(),
                            PageFaultHandler.NO_MOVER))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("page table too short");
        }
    }

    @Test
    void countsEveryByteThatGoesThroughTheCopier() {
        GuestCopier copier = new GuestCopier();
        try (ScratchMemory scratch = new ScratchMemory(BYTES, 7)) {
            GuestCopier.Mover mover = copier.mover();
            mover.move(scratch.data(), 0, scratch.data(), 4096, 4096);
            mover.settle();
            copier.load(scratch.data(), 0, scratch.data(), 8192, 100);
            copier.store(scratch.data(), 0, scratch.data(), 8192, 10);
            assertThat(copier.bytesLoaded()).isEqualTo(4196);
            assertThat(copier.bytesStored()).isEqualTo(4106);
            assertThat(copier.bytesCopied()).isEqualTo(4206);
        }
    }
}
