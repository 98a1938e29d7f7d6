package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentFilesTest {
    private static final long BYTES = 64 * 1024;
    private static final UUID REGION = new UUID(5, 6);
    private static final UUID VM = new UUID(7, 8);

    @TempDir
    Path directory;
    private SegmentFiles files;
    private UUID uuid;
    private SegmentFiles.Segment segment;

    @BeforeEach
    void create() {
        files = new SegmentFiles(directory.resolve("segments"), REGION, SegmentFiles.Step.NONE);
        uuid = UUID.randomUUID();
        segment = files.create(uuid, VM, BYTES);
    }

    @Test
    void putsTheTrailerBehindTheGuestsSize() throws IOException {
        assertThat(Files.size(segment.path())).isEqualTo(BYTES + 4096);
        assertThat(files.open(uuid, BYTES).vmUuid()).isEqualTo(VM);
        assertThat(files.list()).containsExactly(segment.path());
    }

    @Test
    void refusesAMissingSegment() {
        files.delete(uuid);
        assertRefused(RegionError.REGION_SEGMENT_MISSING);
    }

    @Test
    void refusesATruncatedSegment() throws IOException {
        try (FileChannel channel = FileChannel.open(segment.path(), StandardOpenOption.WRITE)) {
            channel.truncate(BYTES);
        }
        assertRefused(RegionError.REGION_SEGMENT_TRUNCATED);
    }

    @Test
    void refusesARecreatedSegment() throws IOException {
        Files.delete(segment.path());
        try (FileChannel channel = FileChannel.open(segment.path(), StandardOpenOption.WRITE,
                StandardOpenOption.CREATE_NEW)) {
            channel.write(ByteBuffer.wrap(new byte[1]), BYTES + 4095);
        }
        assertRefused(RegionError.REGION_SEGMENT_DAMAGED);
    }

    @Test
    void refusesASegmentOfAnotherRegion() throws IOException {
        SegmentFiles foreign = new SegmentFiles(directory.resolve("other"), UUID.randomUUID(), SegmentFiles.Step.NONE);
        Files.copy(foreign.create(uuid, VM, BYTES).path(), segment.path(), StandardCopyOption.REPLACE_EXISTING);
        assertRefused(RegionError.REGION_SEGMENT_FOREIGN);
    }

    @Test
    void refusesAnotherSegmentUnderTheSameName() throws IOException {
        Files.move(files.create(UUID.randomUUID(), VM, BYTES).path(), segment.path(),
                StandardCopyOption.REPLACE_EXISTING);
        assertRefused(RegionError.REGION_SEGMENT_FOREIGN);
    }

    @Test
    void doesNotMakeASegmentTwiceAndKeepsTheFirst() {
        assertThatThrownBy(() -> files.create(uuid, VM, BYTES)).hasMessageStartingWith("REGION_SEGMENT_EXISTS");
        assertThat(files.open(uuid, BYTES)).isEqualTo(segment);
    }

    @Test
    void refusesASegmentForWhichThereIsNoRoomAndLeavesNothingBehind() throws IOException {
        long tooMuch = Math.ceilDiv(Files.getFileStore(directory).getUsableSpace() + (1L << 30), 4096L) * 4096;
        assertThatThrownBy(() -> files.create(UUID.randomUUID(), VM, tooMuch)).hasMessageStartingWith("REGION_NO_ROOM");
        assertThat(files.list()).containsExactly(segment.path());
    }

    @Test
    void leavesAfterADeathAtAnyStepNothingThatIsTakenForASegment() {
        for (SegmentFiles.Step step : SegmentFiles.Step.values()) {
            if (step == SegmentFiles.Step.DELETE_REMOVED) {
                continue;
            }
            UUID other = UUID.randomUUID();
            SegmentFiles dying = new SegmentFiles(directory.resolve("segments"), REGION, reached -> {
                if (reached == step) {
                    throw new Death();
                }
            });
            assertThatThrownBy(() -> dying.create(other, VM, BYTES)).isInstanceOf(Death.class);
            boolean whole = step == SegmentFiles.Step.BUILD_RENAMED;
            if (whole) {
                assertThat(files.open(other, BYTES).uuid()).isEqualTo(other);
            } else {
                assertThatThrownBy(() -> files.open(other, BYTES)).hasMessageStartingWith("REGION_SEGMENT_MISSING");
            }
            assertThat(files.list()).as("verify sees what %s left", step).hasSize(2);
            assertThat(files.delete(other)).isTrue();
            assertThat(files.list()).containsExactly(segment.path());
        }
    }

    private void assertRefused(RegionError code) {
        assertThatThrownBy(() -> files.open(uuid, BYTES)).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith(code.name()).hasMessageContaining("file=").hasMessageContaining("expected=");
    }

    /// Not an Exception, so that no clean-up of the dying process runs.
    private static final class Death extends Error {
        private static final long serialVersionUID = 1L;
    }
}
