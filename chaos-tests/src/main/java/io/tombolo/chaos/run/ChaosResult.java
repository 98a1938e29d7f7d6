package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.Verdicts;
import java.nio.file.Path;
import java.util.Map;

/// What came of a run; `results.json` in its folder.
///
/// @param verdicts   of all checkers
/// @param ops        operations by how they ended: ok, fail, info
/// @param faults     how often each kind of fault was begun
/// @param migrations that were completed
/// @param folder     the result folder
public record ChaosResult(Verdicts verdicts, long seed, Map<String, Object> ops, Map<String, Long> faults,
        long migrations, Path folder) {
    public ChaosResult {
        requireNonNull(verdicts, "verdicts is null");
        requireNonNull(folder, "folder is null");
    }

    /// The worst of all.
    public Verdict verdict() {
        return verdicts.verdict();
    }
}
