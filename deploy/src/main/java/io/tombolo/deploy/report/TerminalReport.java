package io.tombolo.deploy.report;

import io.tombolo.deploy.report.DrillReport.Baseline;
import io.tombolo.deploy.report.DrillReport.Check;
import java.util.Locale;

/// The report as plain tables.
public final class TerminalReport {
    private TerminalReport() {
    }

    public static String text(DrillReport report) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "%d hops of a %s guest with %s over %d hosts in %s, seed %d%n%n",
                report.hops(), report.guest(), Units.bytes(report.vmBytes()), report.host().hosts(),
                Units.nanos(report.elapsedMs() * 1_000_000), report.seed()));
        TextTable times = new TextTable("TIME", "P50", "P99", "MAX");
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

    private static void row(TextTable table, String name, Statistics statistics) {
        table.row(name, Units.nanos(statistics.p50()), Units.nanos(statistics.p99()), Units.nanos(statistics.max()));
    }

    private static void row(TextTable table, String name, Baseline baseline) {
        table.row(name, Units.nanos(baseline.totalNs().p50()), Units.nanos(baseline.downtimeNs().p50()),
                Units.nanos(baseline.downtimeNs().max()), Units.bytes(baseline.bytes()), baseline.runs(),
                baseline.corrupted());
    }
}
