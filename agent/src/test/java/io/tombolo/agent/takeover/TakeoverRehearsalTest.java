package io.tombolo.agent.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TakeoverRehearsalTest {
    private static final long LONG_MS = 60_000;

    @TempDir
    Path directory;

    @Test
    void takesOverAsOftenAsItIsToldAndLeavesNothing() throws IOException {
        assertThat(TakeoverRehearsal.run(directory, Linux.bootId(), 20, LONG_MS)).isEqualTo(20);
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void stopsWhenItsTimeIsOver() throws IOException {
        assertThat(TakeoverRehearsal.run(directory, Linux.bootId(), Integer.MAX_VALUE, 50)).isPositive();
    }
}
