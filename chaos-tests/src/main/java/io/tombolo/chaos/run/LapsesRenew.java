package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.cluster.RunRecord;
import io.tombolo.chaos.history.History;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A host whose right lapsed runs a VM again only at another epoch (I1): never because the owner word still names it.
///
/// It does not check: lapses that were not logged; a stretch that began within [#SETTLED_NS] of the lapse, or was
/// shorter than [#LONG_NS]: its thread may have looked at its right before and then have stood still. It does not look
/// at the history.
///
/// @param lapses when which host said that its right had lapsed
/// @param runs   who executed when
/// @param nowNs  end of what executes still
record LapsesRenew(List<Lapse> lapses, List<RunRecord> runs, long nowNs) implements Checker {
    /// By then nobody executes who looked before.
    static final long SETTLED_NS = TimeUnit.MILLISECONDS.toNanos(500);
    /// Longer than the nemesis `stall` makes anybody stand still.
    static final long LONG_NS = TimeUnit.MILLISECONDS.toNanos(700);

    /// A lapse of a host's right.
    ///
    /// @param atNs since the run began
    record Lapse(String host, long atNs) {
    }

    LapsesRenew {
        lapses = List.copyOf(requireNonNull(lapses, "lapses is null"));
        runs = List.copyOf(requireNonNull(runs, "runs is null"));
    }

    @Override
    public String name() {
        return "lapses-renew";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        for (Lapse lapse : lapses) {
            for (RunRecord after : runs) {
                if (after.host().equals(lapse.host()) && after.startNs() > lapse.atNs() + SETTLED_NS
                        && length(after) > LONG_NS
                        && runs.stream().anyMatch(before -> isBefore(before, after, lapse))) {
                    problems.add("runs again at the epoch of before the lapse at " + lapse.atNs() + " ns: " + after);
                }
            }
        }
        return CheckResult.ofProblems(name(), problems, Map.of("lapses", lapses.size(), "intervals", runs.size()));
    }

    private long length(RunRecord run) {
        return (run.endNs() == 0 ? nowNs : run.endNs()) - run.startNs();
    }

    private static boolean isBefore(RunRecord before, RunRecord after, Lapse lapse) {
        return before.startNs() < lapse.atNs() && before.pid() == after.pid() && before.vm().equals(after.vm())
                && before.epoch() == after.epoch();
    }
}
