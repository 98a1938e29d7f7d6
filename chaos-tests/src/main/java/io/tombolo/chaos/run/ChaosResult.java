package io.tombolo.chaos.run;

import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What came of a run; results.json in its folder.
///
/// @param verdict    the worst of all checkers
/// @param results    of each checker
/// @param ops        operations by how they ended: ok, fail, info
/// @param faults     how often each kind of fault was begun
/// @param migrations that were completed
/// @param folder     the result folder
public record ChaosResult(Verdict verdict, List<CheckResult> results, long seed, Map<String, Long> ops,
        Map<String, Long> faults, long migrations, Path folder) {
    /// Verdict by checker.
    public Map<String, Verdict> checkers() {
        Map<String, Verdict> all = new TreeMap<>();
        results.forEach(result -> all.put(result.checker(), result.verdict()));
        return all;
    }
}
