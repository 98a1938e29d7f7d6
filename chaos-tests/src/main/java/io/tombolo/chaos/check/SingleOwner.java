package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// No VM is executed by two hosts at once, nor by one host under two epochs at once: the intervals in which it ran
/// never overlap (I1). Several intervals of one host and one epoch may, since a VM has several vCPUs.
///
/// It does not check: whether an interval was recorded at all, or recorded too short (it must be recorded before the
/// first instruction and after the last); clocks of different machines (all times must be of one); stores of a host
/// that does not execute (see the canary probe); gaps. It does not look at the history. No interval is UNKNOWN.
///
/// @param intervals in any order
public record SingleOwner(List<RunInterval> intervals) implements Checker {
    public SingleOwner {
        intervals = List.copyOf(intervals);
    }

    @Override
    public String name() {
        return "single-owner";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        Map<String, List<RunInterval>> byVm = intervals.stream()
                .sorted(Comparator.comparingLong(RunInterval::startNs).thenComparingLong(RunInterval::endNs))
                .collect(Collectors.groupingBy(RunInterval::vm));
        byVm.values().forEach(ofVm -> judge(ofVm, problems));
        Map<String, Object> facts = Map.of("vms", byVm.size(), "intervals", intervals.size());
        return intervals.isEmpty()
                ? CheckResult.unknown(name(), "no interval was recorded", facts)
                : CheckResult.ofProblems(name(), problems, facts);
    }

    /// Sweeps over the starts with the intervals that are still open; usually one.
    private static void judge(List<RunInterval> sorted, List<String> problems) {
        List<RunInterval> open = new ArrayList<>();
        for (RunInterval next : sorted) {
            open.removeIf(before -> before.endNs() <= next.startNs());
            for (RunInterval before : open) {
                if (!before.host().equals(next.host()) || before.epoch() != next.epoch()) {
                    problems.add("two owners for " + (Math.min(before.endNs(), next.endNs()) - next.startNs()) + " ns: "
                            + before + ", and " + next);
                }
            }
            open.add(next);
        }
    }
}
