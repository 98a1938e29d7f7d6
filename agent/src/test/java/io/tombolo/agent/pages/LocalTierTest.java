package io.tombolo.agent.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.LocalFrames;
import io.tombolo.region.PageSize;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What every tier of a host's own memory promises, whatever backs it.
final class LocalTierTest {
    private static final int BLOCK = PageSize.LARGE.frames();
    private static final int BLOCKS = 4;
    private static final long BYTES = (long) BLOCKS * PageSize.LARGE.bytes();
    private static final int FRAMES = BLOCKS * BLOCK;

    private Path directory;
    private Path file;

    @BeforeEach
    void makeDirectory() throws IOException {
        directory = Files.createTempDirectory(Path.of("/dev/shm"), "tombolo-tier-");
        file = directory.resolve("local");
    }

    @AfterEach
    void removeDirectory() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private LocalTier open() {
        return LocalTier.open(file, BYTES, HugePages.NONE);
    }

    private static long[] take(LocalTier tier, PageSize size, int count) {
        long[] frames = new long[count];
        return Arrays.copyOf(frames, tier.take(size, count, frames));
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void givesOutEveryFrameOnceAndThenNone(PageSize size) {
        try (LocalTier tier = open()) {
            int all = FRAMES / size.frames();
            assertThat(tier.freeFrames(size)).isEqualTo(all);

            long[] taken = take(tier, size, all + 3);

            assertThat(Arrays.stream(taken).sorted())
                    .containsExactly(LongStream.range(0, all).map(i -> i * size.frames()).boxed().toArray(Long[]::new));
            assertThat(tier.freeFrames()).isZero();
            assertThat(take(tier, size, 1)).isEmpty();
            assertThat(take(tier, PageSize.SMALL, 1)).isEmpty();
            assertThat(take(tier, PageSize.LARGE, 1)).isEmpty();

            tier.give(size, taken, taken.length);

            assertThat(tier.freeFrames()).isEqualTo(FRAMES);
            assertThat(tier.freeFrames(PageSize.LARGE)).isEqualTo(BLOCKS);
            assertThat(take(tier, size, all + 3)).hasSize(all);
        }
    }

    @Test
    void smallFramesLeaveWholeBlocksFree() {
        try (LocalTier tier = open()) {
            long[] small = take(tier, PageSize.SMALL, BLOCK + 1);
            assertThat(tier.freeFrames(PageSize.LARGE)).isEqualTo(BLOCKS - 2);
            assertThat(take(tier, PageSize.LARGE, BLOCKS)).containsExactlyInAnyOrder(2L * BLOCK, 3L * BLOCK);
            assertThat(take(tier, PageSize.SMALL, FRAMES)).hasSize(BLOCK - 1);
            assertThat(small).doesNotHaveDuplicates();
        }
    }

    /// The lowest block has become free as a whole, the one above it is in use: that one is filled up first.
    @Test
    void smallFramesComeFromBlocksInUseFirst() {
        try (LocalTier tier = open()) {
            long[] lowest = take(tier, PageSize.SMALL, BLOCK);
            long[] next = take(tier, PageSize.SMALL, 1);
            assertThat(next[0] / BLOCK).isEqualTo(1);
            tier.give(PageSize.SMALL, lowest, BLOCK);
            assertThat(tier.freeFrames(PageSize.LARGE)).isEqualTo(BLOCKS - 1);

            long[] more = take(tier, PageSize.SMALL, BLOCK - 1);

            assertThat(Arrays.stream(more).map(frame -> frame / BLOCK).distinct()).containsExactly(1L);
            assertThat(tier.freeFrames(PageSize.LARGE)).isEqualTo(BLOCKS - 1);
            assertThat(take(tier, PageSize.SMALL, 1)[0] / BLOCK).isNotEqualTo(1);
        }
    }

    @Test
    void refusesAFrameThatIsNotTaken() {
        try (LocalTier tier = open()) {
            long[] small = take(tier, PageSize.SMALL, 2);
            tier.give(PageSize.SMALL, small, 1);
            refused(tier, PageSize.SMALL, small[0]);
            refused(tier, PageSize.SMALL, FRAMES - 1);
            long[] large = take(tier, PageSize.LARGE, 1);
            tier.give(PageSize.LARGE, large, 1);
            refused(tier, PageSize.LARGE, large[0]);
            assertThat(tier.freeFrames()).isEqualTo(FRAMES - 1);
            tier.give(PageSize.SMALL, new long[]{small[1]}, 1);
            assertThat(tier.freeFrames(PageSize.LARGE)).isEqualTo(BLOCKS);
        }
    }

    @Test
    void refusesNumbersThatNoFrameHas() {
        try (LocalTier tier = open()) {
            take(tier, PageSize.LARGE, BLOCKS);
            for (long frame : new long[]{-1, FRAMES, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 36}) {
                refused(tier, PageSize.SMALL, frame);
                refused(tier, PageSize.LARGE, frame);
            }
            refused(tier, PageSize.LARGE, 1);
            assertThat(tier.freeFrames()).isZero();
        }
    }

    private static void refused(LocalTier tier, PageSize size, long frame) {
        assertThatThrownBy(() -> tier.give(size, new long[]{frame}, 1)).as("frame %d", frame)
                .isInstanceOf(IllegalStateException.class).hasMessageContaining(Long.toString(frame));
    }

    @Test
    void agreesWithABitSetOverRandomTakesAndGives() {
        long seed = Long.getLong("tombolo.seed", 20260103L);
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        try (LocalTier tier = open()) {
            BitSet model = new BitSet(FRAMES);
            Deque<long[]> small = new ArrayDeque<>();
            Deque<long[]> large = new ArrayDeque<>();
            for (int i = 0; i < 20_000; i++) {
                PageSize size = random.nextInt(4) == 0 ? PageSize.LARGE : PageSize.SMALL;
                Deque<long[]> held = size == PageSize.SMALL ? small : large;
                if (random.nextBoolean()) {
                    long[] got = take(tier, size, 1 + random.nextInt(size == PageSize.SMALL ? 200 : 2));
                    for (long frame : got) {
                        int end = (int) frame + size.frames();
                        assertThat(model.get((int) frame, end).isEmpty()).as("frame %d is given out twice", frame)
                                .isTrue();
                        assertThat(end).isLessThanOrEqualTo(FRAMES);
                        model.set((int) frame, end);
                    }
                    held.add(got);
                } else if (!held.isEmpty()) {
                    long[] back = random.nextBoolean() ? held.pollFirst() : held.pollLast();
                    tier.give(size, back, back.length);
                    for (long frame : back) {
                        model.clear((int) frame, (int) frame + size.frames());
                    }
                }
                assertThat(tier.freeFrames()).isEqualTo(FRAMES - model.cardinality());
                long whole = LongStream.range(0, BLOCKS)
                        .filter(block -> model.get((int) block * BLOCK, (int) (block + 1) * BLOCK).isEmpty()).count();
                assertThat(tier.freeFrames(PageSize.LARGE)).isEqualTo(whole);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void framesForNewVmsAreZero(PageSize size) {
        try (LocalTier tier = open()) {
            tier.data().fill((byte) 0x5A);
            long[] frames = new long[3];
            LocalFrames zeroed = tier.zeroed();
            int got = zeroed.take(size, 3, frames);
            assertThat(got).isEqualTo(3);
            for (long frame : frames) {
                byte[] bytes = tier.data().asSlice(frame * 4096, size.bytes())
                        .toArray(ValueLayout.JAVA_BYTE);
                assertThat(bytes).containsOnly(0);
            }
            // Nothing beside them was touched.
            long untouched = LongStream.range(0, FRAMES).filter(frame -> tier.data()
                    .get(ValueLayout.JAVA_BYTE, frame * 4096) == 0x5A).count();
            assertThat(untouched).isEqualTo(FRAMES - 3L * size.frames());
            zeroed.give(size, frames, 3);
            assertThat(tier.freeFrames()).isEqualTo(FRAMES);
        }
    }

    @Test
    void refusesWhatTheFileSystemHasNoRoomForAndLeavesNoFile() throws IOException {
        long blocks = Files.getFileStore(directory).getTotalSpace() / PageSize.LARGE.bytes();
        long tooMuch = (blocks + 1024) * PageSize.LARGE.bytes();

        assertThatThrownBy(() -> LocalTier.open(file, tooMuch, HugePages.NONE))
                .isInstanceOfSatisfying(TomboloException.class, e -> {
                    assertThat(e.code()).isEqualTo(PagesError.LOCAL_TIER_NO_ROOM);
                    assertThat(e.facts()).containsEntry("file", file.toString());
                });
        assertThat(file).doesNotExist();
    }

    /// Nothing is reserved before the file has its size, so it is the size that is refused: with the file there.
    @Test
    void leavesNoFileWhenItsSizeIsRefused() {
        assertThatThrownBy(() -> LocalTier.open(file, 1L << 62, HugePages.TRANSPARENT))
                .isInstanceOfSatisfying(TomboloException.class,
                        e -> assertThat(e.code()).isEqualTo(PagesError.LOCAL_TIER_UNUSABLE));
        assertThat(file).doesNotExist();
    }

    @Test
    void refusesADirectoryThatIsNotThere() {
        assertThatThrownBy(() -> LocalTier.open(directory.resolve("no").resolve("local"), BYTES, HugePages.NONE))
                .isInstanceOfSatisfying(TomboloException.class,
                        e -> assertThat(e.code()).isEqualTo(PagesError.LOCAL_TIER_UNUSABLE));
    }

    @Test
    void refusesSizesThatAreNotWholeBlocks() {
        for (long bytes : new long[]{0, -PageSize.LARGE.bytes(), 4096, PageSize.LARGE.bytes() + 4096}) {
            assertThatThrownBy(() -> LocalTier.open(file, bytes, HugePages.NONE)).as("bytes %d", bytes)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(file).doesNotExist();
    }

    @Test
    void replacesTheFileOfADeadIncarnation() throws IOException {
        Files.write(file, new byte[3 * 4096 + 5]);
        Object before = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        try (LocalTier tier = open()) {
            assertThat(Files.size(file)).isEqualTo(BYTES);
            assertThat(tier.bytes()).isEqualTo(BYTES);
            assertThat(Files.readAttributes(file, BasicFileAttributes.class).fileKey())
                    .isNotEqualTo(before);
        }
    }

    @ParameterizedTest
    @EnumSource(value = HugePages.class, names = {"NONE", "TRANSPARENT"})
    void isMappedInFullAndGoneWhenClosed(HugePages huge) {
        try (LocalTier tier = LocalTier.open(file, BYTES, huge)) {
            assertThat(tier.data().byteSize()).isEqualTo(BYTES);
            tier.data().set(ValueLayout.JAVA_LONG, BYTES - 8, 77);
            assertThat(tier.data().get(ValueLayout.JAVA_LONG, BYTES - 8)).isEqualTo(77);
            assertThat(file).exists();
        }
        assertThat(file).doesNotExist();
    }
}
