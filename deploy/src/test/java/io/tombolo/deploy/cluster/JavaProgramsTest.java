package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaProgramsTest {
    @TempDir
    private Path directory;

    /// An agent that needed a file of somebody's machine started on that machine only.
    @Test
    void anAgentNeedsNoFileButThoseOfItsCluster() {
        List<String> command = JavaPrograms.standard().agent(directory.resolve("ant.yaml"), 64, List.of("simulated"));

        String directives = command.stream().filter(flag -> flag.startsWith("-XX:CompilerDirectivesFile="))
                .map(flag -> flag.substring(flag.indexOf('=') + 1)).findFirst().orElseThrow();
        assertThat(Path.of(directives)).hasParent(directory).content().contains("io/tombolo/agent/handoff/*.*");
        assertThat(command).filteredOn(flag -> flag.contains("/tmp/") && !flag.contains(directory.toString()))
                .filteredOn(flag -> flag.startsWith("-X")).isEmpty();
    }
}
