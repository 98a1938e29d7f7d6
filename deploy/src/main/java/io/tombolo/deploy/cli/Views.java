package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.ClusterInfo;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.PageWaits;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.report.TextTable;
import io.tombolo.deploy.report.Units;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/// Hosts, VMs and clusters as text for a person.
final class Views {
    private static final long FRAME_BYTES = 4096;

    private Views() {
    }

    static String hosts(List<HostStatus> hosts) {
        TextTable table = new TextTable("HOST", "SLOT", "STATE", "ADDRESS", "FREE", "TOTAL", "VMS");
        for (HostStatus host : hosts) {
            table.row(host.name(), host.slot(), host.state(), address(host), frames(host.framesFree()),
                    frames(host.framesTotal()),
                    host.vms().isEmpty() ? "-" : String.join(",", host.vms()));
        }
        return table.text();
    }

    static String host(HostStatus host) {
        return lines("host", host.name(), "slot", host.slot(), "incarnation", host.incarnation(), "state", host.state(),
                "address", address(host), "free", host.framesTotal() < 0
                        ? "-"
                        : frames(host.framesFree()) + " of " + frames(host.framesTotal()),
                "vms", host.vms().isEmpty() ? "-" : String.join(",", host.vms()));
    }

    /// A host whose agent is gone has none.
    private static String address(HostStatus host) {
        return host.address().isEmpty() ? "-" : host.address() + ":" + host.port();
    }

    /// Negative when its agent did not tell.
    private static String frames(long frames) {
        return frames < 0 ? "-" : Units.bytes(frames * FRAME_BYTES);
    }

    static String vms(List<VmStatus> vms) {
        TextTable table = new TextTable("VM", "STATE", "HOST", "EPOCH", "MEMORY", "VCPUS", "PROGRAM", "PROTECTED",
                "REASON");
        for (VmStatus vm : vms) {
            table.row(vm.spec().name(), vm.ownerState(), orDash(vm.ownerHost()), vm.epoch(),
                    Units.bytes(vm.spec().memoryBytes()), vm.spec().vcpus(), vm.spec().program(),
                    TakeoverViews.inTable(vm.protection(), vm.spec().checkpointUs()), orDash(vm.reason()));
        }
        return table.text();
    }

    static String vm(VmStatus vm) {
        return vm(vm, OptionalDouble.empty());
    }

    /// @param checkpointRate checkpoints per second, if it was measured
    static String vm(VmStatus vm, OptionalDouble checkpointRate) {
        VmSpec spec = vm.spec();
        List<Object> pairs = new ArrayList<>(List.of("vm", spec.name(), "uuid", spec.uuid(), "state", vm.ownerState(),
                "host", orDash(vm.ownerHost()),
                "epoch", vm.epoch(), "slot", vm.slot(), "memory", Units.bytes(spec.memoryBytes()), "vcpus",
                spec.vcpus(), "driver", spec.driver(), "program", spec.program(), "working set",
                Units.bytes(spec.workingSetBytes()), "pattern", spec.pattern(), "seed", spec.seed(), "tier",
                spec.tier(), "pages", spec.pages() + " of " + Units.bytes(vm.pageBytes()) + ", " + vm.localPages()
                        + " local",
                "page waits", waits(vm.waits()), "instructions",
                vm.instructions().isEmpty() ? "-" : vm.instructions().toString(), "reason", orDash(vm.reason())));
        pairs.addAll(TakeoverViews.protection(vm.protection(), spec.checkpointUs(), checkpointRate));
        pairs.addAll(List.of("on host failure", vm.protection().isProtected() || spec.checkpointUs() > 0
                ? "goes on elsewhere" + (spec.onHostFailure().equals(VmSpec.RESTART) ? ", else restart" : "")
                : spec.onHostFailure()));
        return lines(pairs.toArray());
    }

    private static String waits(PageWaits waits) {
        return waits.count() == 0
                ? "-"
                : waits.count() + ", p99 " + Units.nanos(waits.p99Ns()) + ", max " + Units.nanos(waits.maxNs());
    }

    static String handoff(HandoffReport report) {
        return lines("vm", report.vm(), "from", report.fromHost(), "to", report.toHost(), "outcome", report.outcome(),
                "epoch", report.epochBefore() + " -> " + report.epochAfter(), "downtime",
                Units.nanos(report.downtimeNs()), "prepare", Units.nanos(report.prepareNs()), "quiesce",
                Units.nanos(report.quiesceNs()), "publish", Units.nanos(report.publishNs()), "switch",
                Units.nanos(report.switchNs()), "resume", Units.nanos(report.resumeNs()), "commit",
                Units.nanos(report.commitNs()), "state", Units.bytes(report.stateBytes()), "guest bytes copied",
                report.bytesCopied());
    }

    static String migrated(HandoffReport report, MoveReport move) {
        String text = handoff(report);
        if (move.mode() == MigrateMode.HANDOFF) {
            return text;
        }
        if (move.mode() == MigrateMode.COPY) {
            return text + "\n"
                    + lines("mode", move.mode().text(), "rounds", move.rounds(), "pages", move.pagesToLocal(),
                            "bytes sent", Units.bytes(move.bytesMoved()), "guest ran for",
                            Units.nanos(move.toLocalNs()),
                            "total", Units.nanos(move.totalNs()));
        }
        return text + "\n" + lines("mode", move.mode().text(), "pages to shared",
                move.pagesToShared() + " in " + Units.nanos(move.toSharedNs()), "pages to local",
                move.pagesToLocal() + " in " + Units.nanos(move.toLocalNs()), "bytes moved",
                Units.bytes(move.bytesMoved()), "total", Units.nanos(move.totalNs()))
                + (move.pagesToLocal() < move.pagesToShared()
                        ? "\n" + (move.pagesToShared() - move.pagesToLocal()) + " pages stayed shared. Next: tombolo"
                                + " pages move " + report.vm() + " all --to local\n"
                        : "");
    }

    static String cluster(ClusterInfo cluster) {
        return lines("cluster", cluster.name(), "uuid", cluster.uuid(), "region", cluster.region(), "leader",
                cluster.leader() + " (term " + cluster.term() + ")", "open moves",
                cluster.openIntents().isEmpty() ? "-" : String.join(",", cluster.openIntents())) + "\n"
                + hosts(cluster.hosts()) + (cluster.vms().isEmpty() ? "" : "\n" + vms(cluster.vms()));
    }

    static String local(ClusterFacts cluster) {
        TextTable table = new TextTable("PROCESS", "ROLE", "PID", "STATE", "LOG");
        cluster.processes().forEach(p -> table.row(p.name(), p.role(), p.pid(), p.state(), p.log()));
        return lines("cluster", cluster.name(), "zookeeper", cluster.zookeeper() + cluster.root(), "region",
                cluster.region(), "files", cluster.directory()) + "\n" + table.text();
    }

    /// Name and value in turn, one pair per line, values below each other.
    static String lines(Object... pairs) {
        int width = 0;
        for (int i = 0; i < pairs.length; i += 2) {
            width = Math.max(width, pairs[i].toString().length());
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pairs.length; i += 2) {
            text.append(pairs[i]).append(" ".repeat(width - pairs[i].toString().length() + 2)).append(pairs[i + 1])
                    .append('\n');
        }
        return text.toString();
    }

    private static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }
}
