package io.tombolo.chaos.planted;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every [RealBug] in a cluster of real processes, about a minute each: for the night, `-Dtest=PlantedInRealProcesses`.
class PlantedInRealProcesses {
    @ParameterizedTest
    @EnumSource
    void isFound(RealBug bug, @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path folder) {
        PlantedRuns.Outcome outcome = PlantedRuns.run(bug, folder);

        assertThat(outcome.by()).as("%s", outcome).contains(bug.foundBy());
    }
}
