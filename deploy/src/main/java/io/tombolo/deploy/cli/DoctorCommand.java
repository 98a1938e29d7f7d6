package io.tombolo.deploy.cli;

import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.report.TextTable;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tombolo doctor`.
@Command(name = "doctor", description = {"Look at this machine: what is missing, and what to do about it.",
        "Ends with 4 if a line says FAIL."})
final class DoctorCommand implements Runnable {
    @Option(names = "--zookeeper", paramLabel = "HOST:PORT[,...]", defaultValue = "", description = "Also see whether these servers answer.")
    private String zookeeper;

    @Option(names = "--region-directory", paramLabel = "DIR", defaultValue = "/dev/shm", description = "Where the region is to be (${DEFAULT-VALUE}).")
    private Path regionDirectory;

    @Option(names = "--unit", paramLabel = "FILE|NAME", defaultValue = "", description = "Also check the settings of the agent's systemd unit.")
    private String unit;

    @Option(names = "--try-kvm", description = "Boot a guest under KVM even if its image has to be built first (takes a minute).")
    private boolean tryKvm;

    @Mixin
    private OutputMixin output;

    @Override
    public void run() {
        String servers = new ClusterTarget("default", zookeeper, "/tombolo").zookeeper();
        List<DoctorLine> lines = new ArrayList<>(DoctorMachine.look(regionDirectory));
        lines.addAll(DoctorQemu.look(tryKvm));
        if (!servers.isEmpty()) {
            lines.addAll(DoctorZooKeeper.look(servers));
        }
        lines.addAll(DoctorSystemd.look(unit));
        output.print(lines, () -> text(lines));
        List<String> failed = lines.stream().filter(l -> l.verdict() == DoctorLine.Verdict.FAIL)
                .map(DoctorLine::check).toList();
        if (!failed.isEmpty()) {
            throw TomboloException.error(DeployError.DOCTOR_FAILED, "this machine lacks something that is needed")
                    .fact("checks", String.join(",", failed).replace(' ', '-'))
                    .next("do what the lines that say FAIL say").build();
        }
    }

    private static String text(List<DoctorLine> lines) {
        TextTable table = new TextTable("VERDICT", "CHECK", "FOUND");
        for (DoctorLine line : lines) {
            table.row(line.verdict(), line.check(),
                    line.found() + (line.next().isEmpty() ? "" : ". Next: " + line.next()));
        }
        return table.text();
    }
}
