package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.ReportWriter;
import io.tombolo.deploy.report.TerminalReport;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tombolo drill`.
@Command(name = "drill", description = {
        "Start a cluster, let a running VM hop round its hosts, verify, report, stop everything.",
        "With --failover: let the hosts of a protected VM fail under it instead.",
        "Ends with 0 only if every check held."})
final class DrillCommand implements Callable<Integer> {
    static final int CLIENTS = 2;
    static final int MAX_CLIENTS = 16;

    /// A hand-off costs microseconds, and JVMs compile while the first ones are made.
    private static final int HOPS = 30;
    private static final int WARM_UP = 50;
    private static final int LINUX_WARM_UP = 10;
    /// All of memory moves with each hop.
    private static final int MOVING_HOPS = 5;
    private static final int MOVING_WARM_UP = 10;
    /// Long against a look at the guest's speed every 50 ms, short against a drill.
    private static final int REST_MS = 200;
    private static final int MAX_REST_MS = 60_000;

    private final Services services;

    @Option(names = "--hosts", paramLabel = "N", defaultValue = "3", description = "Hosts to start (${DEFAULT-VALUE}).")
    private int hosts;

    @Option(names = "--hops", paramLabel = "N", description = "Migrations, round robin (30; 5 of each mode if pages move).")
    private Integer hops;

    @Option(names = "--warm-up", paramLabel = "N", description = "Migrations before those, reported apart (50; 10 for a Linux guest or of a mode in which pages move).")
    private Integer warmUp;

    @Option(names = "--mode", paramLabel = "MODE", description = "How the guest migrates: handoff, transit or copy (handoff). In the last two its pages begin in its host's own memory.")
    private String mode;

    @Option(names = "--compare-modes", description = "Go through all three modes in one cluster with the same guest.")
    private boolean compareModes;

    @Option(names = "--rest", paramLabel = "DURATION", converter = DurationConverter.class, description = "Leave the guest alone that long before and after each hop, and tell how fast it was then and during the hop (200ms if pages move).")
    private Long restNs;

    @Mixin
    private GuestMixin guest;

    @Option(names = "--clients", paramLabel = "N", description = "With --program kv or bank: clients that work with the guest while it hops, 0 to 16 (2).")
    private Integer clients;

    @Option(names = "--base", paramLabel = "DURATION", converter = DurationConverter.class, defaultValue = "500ms", description = "The figure that all timings are derived from (${DEFAULT-VALUE}). Longer on a machine with much else to do.")
    private long baseNs;

    @Option(names = "--compare", description = "With --guest linux: also move the same guest by a bare QMP script and by QEMU's pre-copy.")
    private boolean compare;

    @Option(names = "--report", paramLabel = "DIR", description = "Write report.json and report.html there.")
    private Path reportDirectory;

    @Option(names = "--keep", description = "Leave the cluster running and its files in place.")
    private boolean keep;

    @Mixin
    private FailoverMixin failover;

    @Mixin
    private OutputMixin output;

    DrillCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public Integer call() {
        if (failover.isWanted()) {
            return failOver();
        }
        Options.check(hosts >= 2 && hosts <= 64, "--hosts", hosts, "2 to 64");
        List<MigrateMode> modes = modes();
        boolean moving = !modes.equals(List.of(MigrateMode.HANDOFF));
        int counted = hops != null ? hops : moving ? MOVING_HOPS : HOPS;
        Options.check(counted >= 1 && counted <= 100_000, "--hops", counted, "1 to 100000");
        int before = warmUp != null
                ? warmUp
                : guest.isLinux() ? LINUX_WARM_UP : WARM_UP;
        int movingBefore = warmUp != null ? warmUp : MOVING_WARM_UP;
        Options.check(before >= 0 && before <= 100_000, "--warm-up", before, "0 to 100000");
        int restMs = restNs != null ? Options.wholeMs(restNs) : moving ? REST_MS : 0;
        Options.check(restNs == null || (restMs >= 1 && restMs <= MAX_REST_MS), "--rest", restMs + "ms",
                "1ms to " + MAX_REST_MS + "ms");
        Options.check(restNs == null || !guest.isLinux(), "--rest", "--guest linux", "--guest simulated");
        Options.check(!compare || guest.isLinux(), "--compare", "--guest simulated", "--guest linux");
        Options.check(clients == null || (clients >= 0 && clients <= MAX_CLIENTS), "--clients", clients,
                "0 to " + MAX_CLIENTS);
        VmSpec spec = guest.spec("drill", UUID.randomUUID());
        boolean served = DrillPlan.servesClients(spec);
        Options.check(clients == null || clients == 0 || served, "--clients", "--program " + spec.program(),
                "--program kv or --program bank");
        int asked = clients != null ? clients : served ? CLIENTS : 0;
        DrillPlan plan = new DrillPlan(hosts, counted, before, movingBefore, spec, compare, keep,
                Options.wholeMs(baseNs), asked,
                modes, restMs);
        print(run(plan));
        return 0;
    }

    private int failOver() {
        Options.check(hops == null && warmUp == null && mode == null && !compareModes && restNs == null && !compare,
                "--failover", "an option about hops",
                "no --hops, --warm-up, --mode, --compare-modes, --rest, --compare");
        Options.check(!keep, "--failover", "--keep", "no --keep: the relays to ZooKeeper end with the drill");
        return failover.run(services, new FailoverMixin.Given(hosts, clients, guest, Options.wholeMs(baseNs),
                reportDirectory), output);
    }

    private List<MigrateMode> modes() {
        Options.check(mode == null || !compareModes, "--mode", mode, "no --mode with --compare-modes");
        List<MigrateMode> modes = compareModes
                ? List.of(MigrateMode.values())
                : List.of(MigrateMode.ofText(mode == null ? MigrateMode.HANDOFF.text() : mode)
                        .orElseThrow(() -> Options.invalid("--mode", mode, "handoff, transit, copy")));
        boolean moving = !modes.equals(List.of(MigrateMode.HANDOFF));
        Options.check(!moving || !guest.isLinux(), compareModes ? "--compare-modes" : "--mode", "--guest linux",
                "--guest simulated, whose pages can move");
        return modes;
    }

    private DrillReport run(DrillPlan plan) {
        try (DrillProgress progress = Progress.to(output.err(), "hops")) {
            return new Drill(plan, services.drillTools(plan, progress), System::nanoTime).run();
        }
    }

    private void print(DrillReport report) {
        if (reportDirectory != null) {
            ReportWriter.write(report, reportDirectory);
        }
        output.print(report, () -> "\n" + TerminalReport.text(report)
                + (reportDirectory == null ? "" : "\nreport: " + reportDirectory.resolve("report.html") + "\n"));
        if (!report.passed()) {
            throw Drill.failed(report);
        }
    }
}
