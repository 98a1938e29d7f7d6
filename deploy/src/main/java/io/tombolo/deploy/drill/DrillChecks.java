package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Compare;
import io.tombolo.deploy.report.DrillReport.ContextSwitch;
import io.tombolo.deploy.report.DrillReport.Hop;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.deploy.report.DrillReport.Verification;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.Statistics;
import io.tombolo.deploy.report.Units;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What must hold after a drill. Checks of correctness fail the drill; figures are only marked as missed, because a
/// busy machine misses them without anything being wrong.
final class DrillChecks {
    private static final long P99_LIMIT_NS = 1_000_000;
    private static final double CONTEXT_SWITCHES = 3;
    private static final double BARE_HOPS = 1.5;
    private static final double PRECOPY_TOTAL = 100;
    private static final double PRECOPY_DOWNTIME = 10;

    private final DrillPlan plan;
    private final ContextSwitch contextSwitch;
    private final long bytesCopied;
    private final Verification verification;
    private final List<Check> checks = new ArrayList<>();

    DrillChecks(DrillPlan plan, ContextSwitch contextSwitch, long bytesCopied, Verification verification) {
        this.plan = requireNonNull(plan, "plan is null");
        this.contextSwitch = requireNonNull(contextSwitch, "contextSwitch is null");
        this.bytesCopied = bytesCopied;
        this.verification = requireNonNull(verification, "verification is null");
    }

    List<Check> of(List<Hop> hops, List<String> notCompleted, List<String> givenUp, OwnershipRecords ownership,
            String ownerAtEnd, String difference, GuestVerifier.Frames frames, Optional<Compare> compare,
            Optional<DrillClients.Result> clients) {
        must("every hop completed", notCompleted.isEmpty() && hops.size() == plan.hops(),
                hops.size() + " of " + plan.hops() + first(notCompleted));
        must("guest memory as it must be", verification.identical(),
                verification.method() + ", " + Units.bytes(verification.bytesCompared()) + " compared"
                        + (difference.isEmpty() ? "" : "; " + difference));
        must("no error found by the guest", verification.selfCheckErrors() == 0,
                verification.selfCheckErrors() + " errors");
        must("one host at a time", verification.doubleOwners() == 0,
                verification.doubleOwners() + " overlaps in " + ownership.stays().size() + " stays"
                        + first(ownership.contradictions()));
        must("the VM is where the last hop left it", ownerAtEnd.equals(ownership.host()),
                "owner word names " + (ownerAtEnd.isEmpty() ? "nobody" : ownerAtEnd));
        must("no guest byte copied", bytesCopied == 0, bytesCopied + " bytes");
        must("no frame leaked", frames.leaked() == 0, frames.leaked() + " frames");
        must("region sound", frames.findings() == 0,
                frames.findings() + " findings" + (frames.detail().isEmpty() ? "" : ": " + frames.detail()));
        clients.ifPresent(this::clients);
        checks.add(new Check("no hop tried again", verdict(givenUp.isEmpty()), givenUp.size() + first(givenUp)));
        figures(hops, compare);
        return List.copyOf(checks);
    }

    /// A client without an answer ends the drill before there is a report, so none is missing here.
    private void clients(DrillClients.Result seen) {
        must("operations acknowledged", seen.acknowledged() > 0,
                seen.acknowledged() + " of " + seen.clients() + " clients, by every host after every hop, "
                        + seen.repeats() + " sent again");
        must("clients saw no wrong answer", seen.wrong() == 0,
                seen.wrong() + " wrong" + (seen.firstWrong().isEmpty() ? "" : "; " + seen.firstWrong()));
    }

    private void figures(List<Hop> hops, Optional<Compare> compare) {
        Statistics downtime = DrillReport.of(hops, Hop::downtimeNs);
        long measured = hops.stream().filter(Hop::measured).count();
        checks.add(new Check("every hop measured", verdict(measured == hops.size()),
                measured + " of " + hops.size()
                        + (measured == hops.size() ? "" : ", the others are not in the figures")));
        if (hops.isEmpty()) {
            return;
        }
        if (!plan.isLinux()) {
            ratio("downtime p50 / context switch", downtime.p50(), contextSwitch.p50(), CONTEXT_SWITCHES);
            checks.add(new Check("downtime p99 <= 1 ms", verdict(downtime.p99() <= P99_LIMIT_NS),
                    Units.nanos(downtime.p99())));
        }
        compare.ifPresent(c -> {
            ratio("downtime p50 / bare hop's", downtime.p50(), c.bareHop().downtimeNs().p50(), BARE_HOPS);
            long totalNs = DrillReport.totalOf(hops).p50();
            atLeast("pre-copy total / total", c.precopy().totalNs().p50(), totalNs, PRECOPY_TOTAL);
            atLeast("pre-copy downtime / downtime", c.precopy().downtimeNs().p50(), downtime.p50(), PRECOPY_DOWNTIME);
        });
    }

    private void must(String name, boolean holds, String detail) {
        checks.add(new Check(name, holds ? Verdict.PASS : Verdict.FAIL, detail));
    }

    private void ratio(String name, long value, long base, double limit) {
        double ratio = base == 0 ? Double.POSITIVE_INFINITY : (double) value / base;
        checks.add(new Check(name + " <= " + Units.number(limit, 1), verdict(ratio <= limit),
                String.format(Locale.ROOT, "%.2f (%s / %s)", ratio, Units.nanos(value), Units.nanos(base))));
    }

    private void atLeast(String name, long value, long base, double limit) {
        double ratio = base == 0 ? Double.POSITIVE_INFINITY : (double) value / base;
        checks.add(new Check(name + " >= " + Units.number(limit, 1), verdict(ratio >= limit),
                String.format(Locale.ROOT, "%.1f (%s / %s)", ratio, Units.nanos(value), Units.nanos(base))));
    }

    private static Verdict verdict(boolean reached) {
        return reached ? Verdict.PASS : Verdict.MISSED;
    }

    private static String first(List<String> texts) {
        return texts.isEmpty() ? "" : "; " + texts.getFirst();
    }
}
