package io.tombolo.deploy.report;

import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.FailoverReport.ColdStart;
import io.tombolo.deploy.report.FailoverReport.Failure;
import io.tombolo.deploy.report.FailoverReport.Kind;
import io.tombolo.deploy.report.FailoverReport.Phases;
import java.util.Locale;
import java.util.function.ToLongFunction;

/// A failover report as plain tables.
public final class FailoverText {
    private FailoverText() {
    }

    public static String text(FailoverReport report) {
        StringBuilder text = new StringBuilder();
        if (report.coldStart() != null) {
            coldStart(text, report, report.coldStart());
        } else {
            text.append(String.format(Locale.ROOT,
                    "%d failure%s under a protected %s guest with %s over %d hosts in %s, seed %d%n%n",
                    report.failures().size(), report.failures().size() == 1 ? "" : "s", report.vm().program(),
                    Units.bytes(report.vmBytes()),
                    report.host().hosts(), Units.nanos(report.elapsedMs() * 1_000_000), report.seed()));
            failures(text, report);
        }
        TextTable checks = new TextTable("VERDICT", "CHECK", "FOUND");
        for (Check check : report.checks()) {
            checks.row(check.verdict(), check.name(), check.detail());
        }
        return text.append(checks.text()).toString();
    }

    private static void failures(StringBuilder text, FailoverReport report) {
        TextTable kinds = new TextTable("FAILURE", "TIMES", "RUNS ELSEWHERE P50", "MAX", "STOPPED P50", "MAX",
                "AFTER STOPPED P50", "MAX", "ANSWERS P50", "MAX", "BOUND/ACTUAL");
        for (Kind kind : report.byKind()) {
            kinds.row(kind.kind(), kind.failures(), Units.nanos(kind.rtoNs().p50()), Units.nanos(kind.rtoNs().max()),
                    Units.nanos(kind.confirmedStoppedNs().p50()), Units.nanos(kind.confirmedStoppedNs().max()),
                    Units.nanos(kind.afterConfirmedNs().p50()), Units.nanos(kind.afterConfirmedNs().max()),
                    Units.nanos(kind.answeredNs().p50()), Units.nanos(kind.answeredNs().max()),
                    Units.number(kind.boundPerActual(), 2));
        }
        text.append(kinds.text()).append('\n');
        TextTable phases = new TextTable("PHASE", "P50", "P99", "MAX", "FROM", "UNTIL");
        phase(phases, report, "detect", Phases::detectNs, "failure", "slot word of the host leaves LIVE");
        phase(phases, report, "confirm", Phases::confirmNs, "that", "host confirmed stopped");
        phase(phases, report, "take", Phases::takeNs, "that", "owner word names another host");
        phase(phases, report, "recover", Phases::recoverNs, "that", "memory as at the last commit");
        phase(phases, report, "resume", Phases::resumeNs, "that", "VM runs");
        phase(phases, report, "answer", Phases::answerNs, "that", "first answer to a client");
        text.append(phases.text()).append('\n');
        TextTable formula = new TextTable("AT MOST", "TIME", "FORMULA");
        for (TakeoverFormula.Term term : report.formula()) {
            formula.row(term.name(), Units.nanos(term.ns()), term.formula());
        }
        formula.row("sum", Units.nanos(report.formulaNs()), "-");
        text.append(formula.text()).append('\n');
        text.append(String.format(Locale.ROOT,
                "operations lost that were acknowledged: %d; on their way at the failures: %d; pages rolled back: %d%n",
                report.lostAcknowledged(), report.failures().stream().mapToInt(Failure::unanswered).sum(),
                report.pagesRolledBack()));
        if (report.clients() != null) {
            var seen = report.clients();
            text.append(String.format(Locale.ROOT,
                    "clients: %d, %d operations acknowledged, %d sent again, longest gap %s%n%n", seen.count(),
                    seen.acknowledged(), seen.repeats(), Units.nanos(seen.longestGapNs())));
        }
    }

    private static void phase(TextTable table, FailoverReport report, String name, ToLongFunction<Phases> figure,
            String from, String until) {
        Statistics statistics = FailoverReport.of(report.failures(), f -> figure.applyAsLong(f.phases()));
        table.row(name, Units.nanos(statistics.p50()), Units.nanos(statistics.p99()), Units.nanos(statistics.max()),
                from, until);
    }

    private static void coldStart(StringBuilder text, FailoverReport report, ColdStart cold) {
        text.append(String.format(Locale.ROOT,
                "%d protected VMs with %s on %d hosts; all agents and coordinators killed and started again%n%n",
                cold.vms(), Units.bytes(report.vmBytes()), report.host().hosts()));
        text.append(String.format(Locale.ROOT, "first VM runs after %s, %d of %d after %s, seed %d%n%n",
                Units.nanos(cold.startNs()), cold.running(), cold.vms(), Units.nanos(cold.allNs()), report.seed()));
        cold.notRunning().forEach(line -> text.append(line).append('\n'));
    }
}
