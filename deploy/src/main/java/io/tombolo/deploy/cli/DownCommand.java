package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tombolo down`.
@Command(name = "down", description = "Stop a local cluster and remove its files.")
final class DownCommand implements Runnable {
    private final Services services;

    @Option(names = "--cluster", paramLabel = "NAME", defaultValue = "default", description = "Name of the cluster (${DEFAULT-VALUE}).")
    private String cluster;

    @Mixin
    private OutputMixin output;

    DownCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public void run() {
        int stopped = services.down(new ClusterTarget(cluster, "", "/tombolo").cluster());
        output.print(Map.of("cluster", cluster, "processesStopped", stopped),
                () -> "stopped " + stopped + " processes of " + cluster + "\n");
    }
}
