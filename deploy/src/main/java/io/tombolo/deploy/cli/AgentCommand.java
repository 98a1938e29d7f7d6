package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `tombolo agent --config FILE`.
@Command(name = "agent", description = "Run the agent of one hypervisor until it is stopped.")
final class AgentCommand implements Callable<Integer> {
    private final Services services;

    @Option(names = "--config", paramLabel = "FILE", required = true, description = "Configuration of the agent.")
    private Path config;

    AgentCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public Integer call() {
        Logs.forDaemon();
        return services.runAgent(config);
    }
}
