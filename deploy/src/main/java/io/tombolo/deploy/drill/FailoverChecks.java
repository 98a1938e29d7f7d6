package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.deploy.report.FailoverReport;
import io.tombolo.deploy.report.FailoverReport.ColdStart;
import io.tombolo.deploy.report.FailoverReport.Failure;
import io.tombolo.deploy.report.Units;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// What has to hold after a failover drill, and the figures that it wants to reach.
final class FailoverChecks {
    /// Of a VM with 1 GiB; a larger one has more to put right.
    private static final long AFTER_CONFIRMED_NS = 50_000_000L;

    private final FailoverPlan plan;
    private final TakeoverFormula formula;
    private final List<Check> checks = new ArrayList<>();

    FailoverChecks(FailoverPlan plan, TakeoverFormula formula) {
        this.plan = requireNonNull(plan, "plan is null");
        this.formula = requireNonNull(formula, "formula is null");
    }

    List<Check> of(FailoverDrill.Seen seen) {
        if (plan.coldStart() == 0) {
            failures(seen);
        }
        seen.coldStart.ifPresent(this::coldStart);
        if (seen.ownership != null) {
            must("one host at a time", seen.doubleOwners() == 0, seen.doubleOwners() + " overlaps"
                    + (seen.ownership.contradictions().isEmpty()
                            ? ""
                            : "; " + seen.ownership.contradictions().getFirst()));
        }
        must("no frame leaked", seen.frames.leaked() == 0, seen.frames.leaked() + " frames");
        must("region sound", seen.frames.findings() == 0, seen.frames.findings() + " findings"
                + (seen.frames.detail().isEmpty() ? "" : ": " + seen.frames.detail()));
        return List.copyOf(checks);
    }

    private void failures(FailoverDrill.Seen seen) {
        List<Failure> failures = seen.failures;
        must("every failure taken over", failures.size() == plan.count(), failures.size() + " of " + plan.count());
        seen.clients.ifPresent(clients -> {
            must("operations acknowledged", clients.acknowledged() > 0, clients.acknowledged() + " of "
                    + clients.clients() + " clients, " + clients.repeats() + " sent again");
            must("no acknowledged operation lost", clients.wrong() == 0,
                    clients.wrong() + " lost" + (clients.firstWrong().isEmpty() ? "" : "; " + clients.firstWrong()));
        });
        long quiet = failures.stream().filter(f -> f.acknowledgedBefore() == 0).count();
        reach("operations answered right before every failure", quiet == 0,
                failures.stream().mapToLong(Failure::acknowledgedBefore).min().orElse(0)
                        + " at least in 100 ms" + (quiet == 0 ? "" : ", none before " + quiet));
        List<Failure> single = failures.stream().filter(f -> f.otherStops().isEmpty()).toList();
        reach("one failure at a time", single.size() == failures.size(), failures.stream()
                .filter(f -> !f.otherStops().isEmpty()).map(f -> "during " + f.number() + ": " + f.otherStops())
                .findFirst().orElse("no other host ended"));
        single.stream().max(Comparator.comparingLong(Failure::rtoNs)).ifPresent(worst -> must(
                "takeover within the formula", worst.rtoNs() <= formula.totalNs(),
                Units.nanos(worst.rtoNs()) + " (" + worst.kind() + ", number " + worst.number() + ") of "
                        + Units.nanos(formula.totalNs()) + ", bound / actual "
                        + Units.number(worst.boundPerActual(), 2)));
        long after = FailoverReport.of(failures, Failure::afterConfirmedNs).p50();
        reach("after confirmed stopped p50 <= 50 ms", after <= AFTER_CONFIRMED_NS,
                Units.nanos(after) + " with " + Units.bytes(plan.vm().memoryBytes()));
    }

    private void coldStart(ColdStart cold) {
        must("every VM runs again from its last commit", cold.running() == cold.vms(), cold.running() + " of "
                + cold.vms() + (cold.notRunning().isEmpty() ? "" : "; " + cold.notRunning().getFirst()));
    }

    private void must(String name, boolean holds, String detail) {
        checks.add(new Check(name, holds ? Verdict.PASS : Verdict.FAIL, detail));
    }

    private void reach(String name, boolean reached, String detail) {
        checks.add(new Check(name, reached ? Verdict.PASS : Verdict.MISSED, detail));
    }
}
