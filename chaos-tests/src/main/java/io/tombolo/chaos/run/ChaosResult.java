package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.Verdicts;
import io.tombolo.chaos.nemesis.Nemeses.Tally;
import java.nio.file.Path;
import java.util.Map;

/// What came of a run; `results.json` in its folder.
///
/// @param verdicts   of all checkers
/// @param command    does the same again
/// @param ops        operations by how they ended: ok, fail, info
/// @param faults     how often each kind of fault was begun, and how often it took effect
/// @param migrations that were completed
/// @param folder     the result folder
public record ChaosResult(Verdicts verdicts, String command, long seed, Map<String, Object> ops,
        Map<String, Tally> faults, long migrations, Path folder) {
    public ChaosResult {
        requireNonNull(verdicts, "verdicts is null");
        requireNonNull(command, "command is null");
        requireNonNull(folder, "folder is null");
    }

    /// The worst of all.
    public Verdict verdict() {
        return verdicts.verdict();
    }
}
