package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.MigrateMode;
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
    private final MigrateMode mode;
    private final String prefix;
    private final ContextSwitch contextSwitch;
    private final List<Check> checks = new ArrayList<>();

    /// @param plan   of one mode
    /// @param named  whether there are checks of other modes too, so that the names must tell
    DrillChecks(DrillPlan plan, boolean named, ContextSwitch contextSwitch) {
        this.plan = requireNonNull(plan, "plan is null");
        this.mode = plan.modes().getFirst();
        this.prefix = named ? mode.text() + ": " : "";
        this.contextSwitch = requireNonNull(contextSwitch, "contextSwitch is null");
    }

    List<Check> of(ModeRun.Seen seen, Optional<Compare> compare) {
        List<Hop> hops = seen.hops;
        Verification verification = seen.verification();
        must("every hop completed", seen.notCompleted.isEmpty() && hops.size() == plan.hops(),
                hops.size() + " of " + plan.hops() + first(seen.notCompleted));
        must("guest memory as it must be", verification.identical(),
                verification.method() + ", " + Units.bytes(verification.bytesCompared()) + " compared"
                        + (seen.guest.detail().isEmpty() ? "" : "; " + seen.guest.detail()));
        must("no error found by the guest", verification.selfCheckErrors() == 0,
                verification.selfCheckErrors() + " errors");
        must("one host at a time", verification.doubleOwners() == 0,
                verification.doubleOwners() + " overlaps in " + seen.ownership.stays().size() + " stays"
                        + first(seen.ownership.contradictions()));
        must("the VM is where the last hop left it", seen.ownerAtEnd.equals(seen.ownership.host()),
                "owner word names " + (seen.ownerAtEnd.isEmpty() ? "nobody" : seen.ownerAtEnd));
        if (mode == MigrateMode.HANDOFF) {
            must("no guest byte copied", seen.bytesCopied() == 0, seen.bytesCopied() + " bytes");
        } else {
            must("guest bytes came over", hops.stream().allMatch(h -> h.bytesMoved() > 0),
                    Units.bytes(DrillReport.medianOf(hops, Hop::bytesMoved)) + " for a hop");
        }
        must("no frame leaked", verification.framesLeaked() == 0, verification.framesLeaked() + " frames");
        must("region sound", seen.frames.findings() == 0, seen.frames.findings() + " findings"
                + (seen.frames.detail().isEmpty() ? "" : ": " + seen.frames.detail()));
        seen.clients.ifPresent(this::clients);
        reach("no hop tried again", seen.givenUp.isEmpty(), seen.givenUp.size() + first(seen.givenUp));
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
        reach("every hop measured", measured == hops.size(), measured + " of " + hops.size()
                + (measured == hops.size() ? "" : ", the others are not in the figures"));
        if (hops.isEmpty()) {
            return;
        }
        if (mode == MigrateMode.TRANSIT) {
            long pages = plan.vm().pages();
            long whole = hops.stream().filter(h -> h.pagesToShared() == pages && h.pagesToLocal() == pages).count();
            reach("every page moved, both ways", whole == hops.size(),
                    whole + " of " + hops.size() + " hops, " + pages + " pages each");
        }
        if (!plan.isLinux() && mode == MigrateMode.HANDOFF) {
            ratio("downtime p50 / context switch", downtime.p50(), contextSwitch.p50(), CONTEXT_SWITCHES);
        }
        // A copy stops the guest for its last round, however long that is.
        if (!plan.isLinux() && mode != MigrateMode.COPY) {
            reach("downtime p99 <= 1 ms", downtime.p99() <= P99_LIMIT_NS, Units.nanos(downtime.p99()));
        }
        compare.ifPresent(c -> {
            ratio("downtime p50 / bare hop's", downtime.p50(), c.bareHop().downtimeNs().p50(), BARE_HOPS);
            long totalNs = DrillReport.totalOf(hops).p50();
            atLeast("pre-copy total / total", c.precopy().totalNs().p50(), totalNs, PRECOPY_TOTAL);
            atLeast("pre-copy downtime / downtime", c.precopy().downtimeNs().p50(), downtime.p50(), PRECOPY_DOWNTIME);
        });
    }

    private void must(String name, boolean holds, String detail) {
        checks.add(new Check(prefix + name, holds ? Verdict.PASS : Verdict.FAIL, detail));
    }

    private void reach(String name, boolean reached, String detail) {
        checks.add(new Check(prefix + name, reached ? Verdict.PASS : Verdict.MISSED, detail));
    }

    private void ratio(String name, long value, long base, double limit) {
        double ratio = base == 0 ? Double.POSITIVE_INFINITY : (double) value / base;
        reach(name + " <= " + Units.number(limit, 1), ratio <= limit,
                String.format(Locale.ROOT, "%.2f (%s / %s)", ratio, Units.nanos(value), Units.nanos(base)));
    }

    private void atLeast(String name, long value, long base, double limit) {
        double ratio = base == 0 ? Double.POSITIVE_INFINITY : (double) value / base;
        reach(name + " >= " + Units.number(limit, 1), ratio >= limit,
                String.format(Locale.ROOT, "%.1f (%s / %s)", ratio, Units.nanos(value), Units.nanos(base)));
    }

    private static String first(List<String> texts) {
        return texts.isEmpty() ? "" : "; " + texts.getFirst();
    }
}
