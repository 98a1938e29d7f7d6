package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.ProtectionStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.deploy.report.TextTable;
import io.tombolo.deploy.report.Units;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/// Protection, takeovers and maintenance of hosts as text for a person.
final class TakeoverViews {
    /// Outcome of a VM that left a drained host.
    static final String MOVED = "MOVED";

    private static final long FRAME_BYTES = 4096;
    private static final long NS_PER_US = 1_000;

    private TakeoverViews() {
    }

    static String takeover(TakeoverReport report) {
        List<Object> lines = new ArrayList<>(List.of("takeover of", report.vm(), "from", orDash(report.fromHost()),
                "to", orDash(report.toHost()), "phase", report.phase(), "epoch", report.epoch()));
        if (!report.inDoubt().isEmpty()) {
            lines.addAll(List.of("waits for", String.join(", ", report.inDoubt())));
        }
        lines.addAll(List.of("fenced after", between(report.suspectedNs(), report.fencedNs()),
                "confirmed stopped after",
                between(report.begunNs(), report.confirmedNs()), "memory put right in",
                between(report.confirmedNs(), report.recoveredNs()), "resumed in",
                between(report.recoveredNs(), report.runningNs()), "pages rolled back", report.pagesRolledBack()));
        if (!report.reason().isEmpty()) {
            lines.addAll(List.of("reason", report.reason() + (report.text().isEmpty() ? "" : ": " + report.text())));
        }
        return Views.lines(lines.toArray());
    }

    static String takeovers(List<TakeoverReport> reports) {
        if (reports.isEmpty()) {
            return "no takeover since this coordinator leads\n";
        }
        TextTable table = new TextTable("VM", "FROM", "TO", "PHASE", "CONFIRMED", "TO RUNNING", "ROLLED BACK",
                "REASON");
        for (TakeoverReport report : reports) {
            table.row(report.vm(), orDash(report.fromHost()), orDash(report.toHost()), report.phase(),
                    between(report.begunNs(), report.confirmedNs()), between(report.confirmedNs(), report.runningNs()),
                    report.pagesRolledBack(), orDash(report.reason()));
        }
        return table.text();
    }

    private static String between(long fromNs, long toNs) {
        return fromNs == 0 || toNs == 0 ? "-" : Units.nanos(Math.max(0, toNs - fromNs));
    }

    /// In the table of VMs.
    static String inTable(ProtectionStatus status, int checkpointUs) {
        int us = status.isProtected() ? status.checkpointUs() : checkpointUs;
        return us == 0 ? "-" : Units.nanos(us * NS_PER_US);
    }

    /// What one VM's protection is and costs, in pairs of name and value.
    ///
    /// @param rate checkpoints per second, if it was measured
    static List<Object> protection(ProtectionStatus status, int checkpointUs, OptionalDouble rate) {
        if (!status.isProtected()) {
            return List.of("protected", checkpointUs == 0
                    ? "no"
                    : "every " + Units.nanos(checkpointUs * NS_PER_US) + " by its definition; its host does not say");
        }
        return List.of("protected", "a checkpoint every " + Units.nanos(status.checkpointUs() * NS_PER_US) + " at most",
                "checkpoints",
                status.commits() + (rate.isPresent() ? ", " + Units.number(rate.getAsDouble(), 0) + "/s" : "")
                        + ", interval " + status.interval(),
                "dirty pages", "last " + status.dirtyPagesLast() + ", mean " + status.dirtyPagesMean(), "pause",
                "p50 " + Units.nanos(status.pauseP50Ns()) + ", p99 " + Units.nanos(status.pauseP99Ns()), "pre-images",
                Units.bytes(status.preimageFrames() * FRAME_BYTES) + " of "
                        + Units.bytes(status.preimageLimit() * FRAME_BYTES),
                "early checkpoints", status.earlyCommits(), "rolled back", status.rolledBack() + " pages");
    }

    static String drained(Reply.Drained drained) {
        if (drained.vms().isEmpty()) {
            return drained.host() + " has no VM and gets none\n";
        }
        TextTable table = new TextTable("VM", "TO", "OUTCOME", "WHY");
        drained.vms().forEach(vm -> table.row(vm.vm(), orDash(vm.toHost()), vm.outcome(), orDash(vm.text())));
        long stayed = drained.vms().stream().filter(vm -> !vm.outcome().equals(MOVED)).count();
        return table.text() + "\n" + drained.host() + " gets no VM until `tombolo host undrain " + drained.host() + "`"
                + (stayed == 0 ? "" : "; " + stayed + " of its VMs stayed") + "\n";
    }

    static String reconciled(Reply.Reconciled done) {
        if (done.written().isEmpty() && done.removed().isEmpty() && done.unknown().isEmpty()) {
            return "ZooKeeper and the region say the same\n";
        }
        return Views.lines("written", list(done.written()), "removed", list(done.removed()), "nobody can describe",
                list(done.unknown()));
    }

    private static String list(List<String> names) {
        return names.isEmpty() ? "-" : String.join(", ", names);
    }

    private static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }
}
