package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.report.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tombolo up`.
@Command(name = "up", description = "Start a local cluster of processes and leave it running.")
final class UpCommand implements Runnable {
    private final Services services;

    @Mixin
    private ClusterMixin cluster;

    @Mixin
    private OutputMixin output;

    @Option(names = "--hosts", paramLabel = "N", defaultValue = "3", description = "Agents (${DEFAULT-VALUE}).")
    private int hosts;

    @Option(names = "--coordinators", paramLabel = "N", defaultValue = "2", description = "Coordinators, of which one leads (${DEFAULT-VALUE}).")
    private int coordinators;

    @Option(names = "--zookeeper-servers", paramLabel = "N", defaultValue = "1", description = "Servers of the cluster's own ensemble (${DEFAULT-VALUE}).")
    private int zookeeperServers;

    @Option(names = "--region-size", paramLabel = "SIZE", defaultValue = "4G", converter = SizeConverter.class, description = "Room for guest memory and page tables (${DEFAULT-VALUE}).")
    private long regionBytes;

    @Option(names = "--base", paramLabel = "DURATION", converter = DurationConverter.class, description = "The figure that all timings are derived from (500ms).")
    private Long baseNs;

    UpCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public void run() {
        ClusterTarget target = cluster.target();
        UpPlan plan = new UpPlan(target.cluster(), target.zookeeper(), target.root(), zookeeperServers, coordinators,
                hosts, regionBytes, baseNs == null ? 0 : (int) Math.min(Integer.MAX_VALUE, baseNs / 1_000_000));
        LocalClusterFacts facts = services.up(plan, line -> {
            output.err().println(line);
            output.err().flush();
        });
        output.print(facts, () -> {
            TextTable table = new TextTable("PROCESS", "ROLE", "PID", "STATE");
            facts.processes().forEach(p -> table.row(p.name(), p.role(), p.pid(), p.state()));
            return Views.lines("cluster", facts.cluster(), "zookeeper", facts.zookeeper() + facts.root(), "region",
                    facts.region(), "files", facts.directory()) + "\n" + table.text() + "\nNext: tombolo vm create VM"
                    + (facts.cluster().equals("default") ? "" : " --cluster " + facts.cluster()) + "\n";
        });
    }
}
