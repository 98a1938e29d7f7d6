package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ContextSwitchBenchmarkTest {
    @Test
    void measuresBothWaysAndLeavesNothingBehind() throws IOException {
        long before = pingPongDirectories();

        ContextSwitchBenchmark.Result result = ContextSwitchBenchmark.run(2_000, 3_000);

        System.out.println(result);
        assertThat(result.pinned().rounds()).isEqualTo(3_000);
        assertThat(result.unpinned().rounds()).isEqualTo(3_000);
        assertThat(result.p50Ns()).isBetween(200L, 1_000_000L)
                .isEqualTo(Math.min(result.pinned().p50Ns(), result.unpinned().p50Ns()));
        assertThat(pingPongDirectories()).isEqualTo(before);
    }

    private static long pingPongDirectories() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(f -> f.getFileName().toString().startsWith("tombolo-pingpong")).count();
        }
    }
}
