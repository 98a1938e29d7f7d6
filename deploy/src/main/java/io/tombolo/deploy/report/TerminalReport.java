package io.tombolo.deploy.report;

import io.tombolo.deploy.report.DrillReport.Baseline;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Mode;
import io.tombolo.deploy.report.DrillReport.Moved;
import io.tombolo.deploy.report.DrillReport.PageWaits;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// The report as plain tables.
public final class TerminalReport {
    private static final String HANDOFF = "handoff";

    private TerminalReport() {
    }

    public static String text(DrillReport report) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "%d hops%s of a %s guest with %s over %d hosts in %s, seed %d%n%n",
                report.perHop().size(), how(report), report.guest(), Units.bytes(report.vmBytes()),
                report.host().hosts(), Units.nanos(report.elapsedMs() * 1_000_000), report.seed()));
        if (report.modes().size() > 1 || !report.mode().equals(HANDOFF)) {
            modes(text, report);
        }
        TextTable times = new TextTable(
                report.modes().size() > 1 ? "TIME OF " + report.mode().toUpperCase(Locale.ROOT) : "TIME",
                "P50", "P99", "MAX");
        row(times, "downtime", report.downtimeNs());
        row(times, "  publish", report.phases().publish());
        row(times, "  switch", report.phases().switch_());
        row(times, "  resume", report.phases().resume());
        row(times, "prepare", report.phases().prepare());
        row(times, "quiesce", report.phases().quiesce());
        row(times, "commit", report.phases().commit());
        if (report.warmUp() != null) {
            row(times, "warm-up, " + report.warmUp().hops() + " hops", report.warmUp().downtimeNs());
        }
        var contextSwitch = report.contextSwitchNs();
        times.row("context switch", Units.nanos(contextSwitch.p50()), "-", "-");
        times.row("  pinned", Units.nanos(contextSwitch.pinned().p50()), Units.nanos(contextSwitch.pinned().p99()),
                "-");
        times.row("  unpinned", Units.nanos(contextSwitch.unpinned().p50()),
                Units.nanos(contextSwitch.unpinned().p99()), "-");
        text.append(times.text()).append('\n');
        if (report.compare() != null) {
            TextTable compare = new TextTable("THE SAME GUEST MOVED BY", "TOTAL P50", "DOWNTIME P50", "DOWNTIME MAX",
                    "BYTES", "RUNS", "CORRUPTED");
            compare.row("tombolo", Units.nanos(DrillReport.totalOf(report.perHop()).p50()),
                    Units.nanos(report.downtimeNs().p50()),
                    Units.nanos(report.downtimeNs().max()), Units.bytes(report.bytesCopied()), report.hops(), 0);
            row(compare, "bare QMP hop", report.compare().bareHop());
            row(compare, "QEMU pre-copy", report.compare().precopy());
            text.append(compare.text()).append('\n');
        }
        if (report.clients() != null) {
            var seen = report.clients();
            text.append(String.format(Locale.ROOT,
                    "clients: %d, %d operations acknowledged, %d sent again, %d wrong answer%s, longest gap %s%n%n",
                    seen.count(), seen.acknowledged(), seen.repeats(), seen.wrongAnswers(),
                    seen.wrongAnswers() == 1 ? "" : "s", Units.nanos(seen.longestGapNs())));
        }
        TextTable checks = new TextTable("VERDICT", "CHECK", "FOUND");
        for (Check check : report.checks()) {
            checks.row(check.verdict(), check.name(), check.detail());
        }
        return text.append(checks.text()).toString();
    }

    private static String how(DrillReport report) {
        if (report.modes().size() > 1) {
            return " in " + report.modes().size() + " modes";
        }
        return report.mode().equals(HANDOFF) ? "" : " by " + report.mode();
    }

    private static void modes(StringBuilder text, DrillReport report) {
        TextTable costs = new TextTable("MODE", "HOPS", "TOTAL P50", "DOWNTIME P50", "MAX", "COPIED/HOP",
                "OPS/S BEFORE", "DURING", "AFTER", "LONGEST STALL");
        TextTable moves = new TextTable("PAGES OF A HOP", "TO SHARED", "IN", "RATE/S", "TO LOCAL", "IN", "RATE/S",
                "VCPU WAITS", "P99", "MAX");
        for (Mode mode : report.modes()) {
            var ops = mode.opsPerSecond();
            costs.row(mode.mode(), mode.hops(), Units.nanos(mode.totalNs().p50()), Units.nanos(mode.downtimeNs().p50()),
                    Units.nanos(mode.downtimeNs().max()), Units.bytes(mode.bytesMoved()),
                    ops == null ? "-" : Units.count(ops.before()), ops == null ? "-" : Units.count(ops.during()),
                    ops == null ? "-" : Units.count(ops.after()),
                    mode.longestStallNs() == null ? "-" : Units.nanos(mode.longestStallNs()));
            moves.row(Stream.of(List.of(mode.mode()), cells(mode.toShared()), cells(mode.toLocal()),
                    cells(mode.pageWaits()))
                    .flatMap(List::stream).toArray());
        }
        text.append(costs.text()).append('\n').append(moves.text()).append('\n');
    }

    private static List<String> cells(Moved moved) {
        return moved == null
                ? List.of("-", "-", "-")
                : List.of(Long.toString(moved.pages()), Units.nanos(moved.ns()), Units.bytes(moved.bytesPerSecond()));
    }

    private static List<String> cells(PageWaits waits) {
        return waits == null || waits.count() == 0
                ? List.of(waits == null ? "-" : "0", "-", "-")
                : List.of(Long.toString(waits.count()), Units.nanos(waits.p99Ns()), Units.nanos(waits.maxNs()));
    }

    private static void row(TextTable table, String name, Statistics statistics) {
        table.row(name, Units.nanos(statistics.p50()), Units.nanos(statistics.p99()), Units.nanos(statistics.max()));
    }

    private static void row(TextTable table, String name, Baseline baseline) {
        table.row(name, Units.nanos(baseline.totalNs().p50()), Units.nanos(baseline.downtimeNs().p50()),
                Units.nanos(baseline.downtimeNs().max()), Units.bytes(baseline.bytes()), baseline.runs(),
                baseline.corrupted());
    }
}
