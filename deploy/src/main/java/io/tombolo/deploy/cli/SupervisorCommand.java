package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `tombolo supervisor`: what `up` starts to watch over its processes; not for people.
@Command(name = "supervisor", hidden = true, description = "Watch over the processes of a local cluster.")
final class SupervisorCommand implements Callable<Integer> {
    private final Services services;

    @Parameters(arity = "0..*", paramLabel = "ARGUMENT", description = "Given by `tombolo up`.")
    private List<String> arguments = List.of();

    SupervisorCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public Integer call() {
        Logs.forDaemon();
        return services.runSupervisor(arguments);
    }
}
