package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterSpec;
import java.util.List;
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

    @Option(names = "--local-size", paramLabel = "SIZE", defaultValue = "512M", converter = LocalSizeConverter.class, description = "Memory of its own for pages that each agent reserves, a multiple of 2M; 0 for none (${DEFAULT-VALUE}).")
    private long localBytes;

    @Option(names = "--base", paramLabel = "DURATION", converter = DurationConverter.class, defaultValue = "500ms", description = "The figure that all timings are derived from (${DEFAULT-VALUE}).")
    private long baseNs;

    @Option(names = "--drivers", paramLabel = "NAME", split = ",", defaultValue = "simulated", description = "What the agents can run: simulated, qemu (${DEFAULT-VALUE}).")
    private List<String> drivers;

    UpCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public void run() {
        ClusterTarget target = cluster.target();
        Options.check(hosts >= 1 && hosts <= 64, "--hosts", hosts, "1 to 64");
        Options.check(coordinators >= 1 && coordinators <= 9, "--coordinators", coordinators, "1 to 9");
        Options.check(zookeeperServers == 1 || zookeeperServers == 3, "--zookeeper-servers", zookeeperServers,
                "1 or 3");
        Options.check(List.of("simulated", "qemu").containsAll(drivers), "--drivers", String.join(",", drivers),
                "simulated, qemu");
        Options.check(localBytes % VmSpec.LARGE_PAGE_BYTES == 0, "--local-size", localBytes,
                "0, or a multiple of 2M");
        ClusterSpec spec = ClusterSpec.of(target.cluster(), regionBytes).withHosts(ClusterSpec.hostNames(hosts))
                .withCoordinators(coordinators).withZooKeeperServers(zookeeperServers).withDrivers(drivers)
                .withLocalTierBytes(localBytes).withBaseMs(Options.wholeMs(baseNs));
        if (!target.isLocal()) {
            spec = spec.withZooKeeper(target.zookeeper(), target.root());
        }
        ClusterFacts facts = services.up(spec, line -> {
            output.err().println(line);
            output.err().flush();
        });
        output.print(facts, () -> Views.local(facts) + "\nNext: tombolo vm create VM"
                + (facts.name().equals("default") ? "" : " --cluster " + facts.name()) + "\n");
    }
}
