package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.ReportWriter;
import io.tombolo.deploy.report.TerminalReport;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tombolo drill`.
@Command(name = "drill", description = {
        "Start a cluster, let a running VM hop round its hosts, verify, report, stop everything.",
        "Ends with 0 only if every check held."})
final class DrillCommand implements Callable<Integer> {
    private static final int CLIENTS = 2;
    private static final int MAX_CLIENTS = 16;

    private final Services services;

    @Option(names = "--hosts", paramLabel = "N", defaultValue = "3", description = "Hosts to start (${DEFAULT-VALUE}).")
    private int hosts;

    @Option(names = "--hops", paramLabel = "N", defaultValue = "30", description = "Hand-offs, round robin (${DEFAULT-VALUE}).")
    private int hops;

    @Option(names = "--warm-up", paramLabel = "N", description = "Hand-offs before those, reported apart (50; 10 for a Linux guest).")
    private Integer warmUp;

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
    private OutputMixin output;

    DrillCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public Integer call() {
        Options.check(hosts >= 2 && hosts <= 64, "--hosts", hosts, "2 to 64");
        Options.check(hops >= 1 && hops <= 100_000, "--hops", hops, "1 to 100000");
        int before = warmUp == null ? (guest.isLinux() ? 10 : 50) : warmUp;
        Options.check(before >= 0 && before <= 100_000, "--warm-up", before, "0 to 100000");
        Options.check(!compare || guest.isLinux(), "--compare", "--guest simulated", "--guest linux");
        Options.check(clients == null || (clients >= 0 && clients <= MAX_CLIENTS), "--clients", clients,
                "0 to " + MAX_CLIENTS);
        VmSpec spec = guest.spec("drill", UUID.randomUUID());
        boolean served = DrillPlan.servesClients(spec);
        Options.check(clients == null || clients == 0 || served, "--clients", "--program " + spec.program(),
                "--program kv or --program bank");
        int asked = clients != null ? clients : served ? CLIENTS : 0;
        DrillPlan plan = new DrillPlan(hosts, hops, before, spec, compare, keep, Options.wholeMs(baseNs), asked);
        DrillReport report;
        try (DrillProgress progress = Progress.to(output.err(), "hops")) {
            report = new Drill(plan, services.drillTools(plan, progress), System::nanoTime).run();
        }
        if (reportDirectory != null) {
            ReportWriter.write(report, reportDirectory);
        }
        output.print(report, () -> "\n" + TerminalReport.text(report)
                + (reportDirectory == null ? "" : "\nreport: " + reportDirectory.resolve("report.html") + "\n"));
        if (!report.passed()) {
            throw Drill.failed(report);
        }
        return 0;
    }
}
