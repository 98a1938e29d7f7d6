package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `tombolo coordinator --config FILE`.
@Command(name = "coordinator", description = "Run one coordinator until it is stopped; of several, one leads.")
final class CoordinatorCommand implements Callable<Integer> {
    private final Services services;

    @Option(names = "--config", paramLabel = "FILE", required = true, description = "Configuration of the coordinator.")
    private Path config;

    CoordinatorCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public Integer call() {
        Logs.forDaemon();
        return services.runCoordinator(config);
    }
}
