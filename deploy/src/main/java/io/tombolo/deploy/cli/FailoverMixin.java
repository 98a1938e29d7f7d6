package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.FailoverDrill;
import io.tombolo.deploy.drill.FailoverPlan;
import io.tombolo.deploy.drill.FailureKind;
import io.tombolo.deploy.report.FailoverReport;
import io.tombolo.deploy.report.FailoverText;
import io.tombolo.deploy.report.ReportWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import picocli.CommandLine.Option;

/// The options of `tombolo drill --failover`, and what it does instead of letting a VM hop.
public final class FailoverMixin {
    private static final int MAX_ROUNDS = 10_000;
    private static final int MAX_COLD = 500;
    /// Of a cold start, so that a hundred of them fit.
    private static final long COLD_MEMORY_BYTES = 64L << 20;
    static final String PROGRAM = "kv";

    @Option(names = "--failover", description = "Let the host that owns a protected VM fail, again and again, instead of letting the VM hop.")
    private boolean failover;

    @Option(names = "--failures", paramLabel = "KIND", split = ",", defaultValue = "kill,stop,partition", description = "With --failover, in this order: kill (kill -9), stop (SIGSTOP), partition (from ZooKeeper) (${DEFAULT-VALUE}).")
    private List<String> failures;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "1", description = "With --failover: how often to go through the failures (${DEFAULT-VALUE}).")
    private int rounds;

    @Option(names = "--cold-start", paramLabel = "N", description = "With --failover: create N protected VMs of 64M instead, kill all agents and coordinators, start them again, and tell how long until all VMs run.")
    private Integer coldStart;

    @Option(names = "--checkpoint-interval", paramLabel = "DURATION", converter = DurationConverter.class, description = "With --failover: longest time between two checkpoints (5ms).")
    private Long intervalNs;

    boolean isWanted() {
        Options.check(failover || coldStart == null, "--cold-start", coldStart, "nothing without --failover");
        Options.check(failover || intervalNs == null, "--checkpoint-interval", intervalNs + "ns",
                "nothing without --failover");
        Options.check(failover || rounds == 1, "--rounds", rounds, "nothing without --failover");
        return failover;
    }

    /// What of the other options of `drill` a failover drill takes too.
    ///
    /// @param clients null when not given
    record Given(int hosts, Integer clients, GuestMixin guest, int baseMs, Path reportDirectory) {
        Given {
            requireNonNull(guest, "guest is null");
        }
    }

    int run(Services services, Given given, OutputMixin output) {
        FailoverPlan plan = plan(given);
        FailoverReport report;
        try (DrillProgress progress = Progress.to(output.err(), plan.coldStart() > 0 ? "VMs" : "failures")) {
            report = new FailoverDrill(plan, () -> services.failoverCluster(plan, progress), progress,
                    System::nanoTime).run();
        }
        if (given.reportDirectory != null) {
            ReportWriter.write(report, given.reportDirectory);
        }
        output.print(report, () -> "\n" + FailoverText.text(report) + (given.reportDirectory == null
                ? ""
                : "\nreport: " + given.reportDirectory.resolve("report.html") + "\n"));
        if (!report.passed()) {
            throw FailoverDrill.failed(report);
        }
        return 0;
    }

    private FailoverPlan plan(Given given) {
        Options.check(given.hosts >= 2 && given.hosts <= 64, "--hosts", given.hosts, "2 to 64");
        Options.check(rounds >= 1 && rounds <= MAX_ROUNDS, "--rounds", rounds, "1 to " + MAX_ROUNDS);
        Options.check(coldStart == null || (coldStart >= 1 && coldStart <= MAX_COLD), "--cold-start", coldStart,
                "1 to " + MAX_COLD);
        Options.check(!given.guest.isLinux(), "--failover", "--guest linux", "--guest simulated");
        List<FailureKind> kinds = failures.stream().map(text -> FailureKind.ofText(text)
                .orElseThrow(() -> Options.invalid("--failures", text, "kill, stop, partition"))).toList();
        int cold = coldStart == null ? 0 : coldStart;
        VmSpec spec = given.guest.spec("drill", UUID.randomUUID(), PROGRAM, cold > 0 ? COLD_MEMORY_BYTES : 0)
                .withProtection(ProtectionMixin.checkpointUs(intervalNs)).checked();
        Options.check(cold > 0 || DrillPlan.servesClients(spec), "--program", spec.program(), "kv, bank");
        int asked = cold > 0 ? 0 : given.clients != null ? given.clients : DrillCommand.CLIENTS;
        Options.check(cold > 0 || (asked >= 1 && asked <= DrillCommand.MAX_CLIENTS), "--clients", asked,
                "1 to " + DrillCommand.MAX_CLIENTS);
        return new FailoverPlan(given.hosts, spec, asked, kinds, rounds, cold, given.baseMs);
    }
}
