package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.Verdict;
import java.util.Map;

/// What the search found for one part.
///
/// @param key            the independent key; null if the history is one part
/// @param operations     OK operations that were placed, or to be placed
/// @param unknown        unknown operations that could make a difference
/// @param dropped        unknown operations that could make none
/// @param concurrency    the most OK operations pending at a time
/// @param configurations looked at
/// @param elapsedNs      how long it took
/// @param reason         why the verdict is UNKNOWN, or null
/// @param violation      what is wrong, if the verdict is INVALID, or null
record PartResult(Object key, Verdict verdict, int operations, int unknown, int dropped, int concurrency,
        long configurations, long elapsedNs, String reason, Map<String, Object> violation) {
}
