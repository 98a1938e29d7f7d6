package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The `tombolo` command. Every failure is one line on standard error, `CODE: what: facts. Next: …`, and the exit
/// status of its code; usage errors end with 2. docs/cli.md lists all commands, docs/errors.md all codes.
@Command(name = "tombolo", description = "Moves running VMs between hypervisors through shared memory.", mixinStandardHelpOptions = true, scope = ScopeType.INHERIT, versionProvider = VersionCommand.Provider.class, subcommands = {
        DrillCommand.class, UpCommand.class, StatusCommand.class, DownCommand.class, VmCommand.class,
        HostCommand.class, ClusterCommand.class, PagesCommand.class, TierCommand.class, RegionCommand.class,
        TimeoutsCommand.class, DoctorCommand.class, AgentCommand.class, CoordinatorCommand.class,
        SupervisorCommand.class, FenceLocalCommand.class, VersionCommand.class,
        CommandLine.HelpCommand.class})
public final class Tombolo implements Runnable {
    /// Width of every usage text: docs/cli.md must not depend on somebody's terminal.
    static final int USAGE_WIDTH = 100;

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int status = run(new LiveServices(), out, err, args);
        out.flush();
        err.flush();
        System.exit(status);
    }

    /// Runs one command line and returns its exit status; never throws.
    static int run(Services services, PrintWriter out, PrintWriter err, String... args) {
        return commandLine(services).setOut(out).setErr(err).execute(args);
    }

    /// All commands that this program has, also those of other modules, to be described.
    public static CommandLine commands() {
        return commandLine(new LiveServices());
    }

    /// All commands, ready to be executed or described.
    static CommandLine commandLine(Services services) {
        CommandLine commandLine = new CommandLine(new Tombolo(), new ServiceFactory(services));
        ServiceLoader.load(CommandProvider.class).forEach(p -> commandLine.addSubcommand(p.command()));
        return commandLine.setUsageHelpWidth(USAGE_WIDTH).setParameterExceptionHandler(Failures::usage)
                .setExecutionExceptionHandler(new Failures(services.stateDirectory())::execution)
                .setCaseInsensitiveEnumValuesAllowed(true);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// Gives every command that has a constructor for it the services it works with; picocli makes the others.
    private static final class ServiceFactory implements CommandLine.IFactory {
        private final Services services;

        ServiceFactory(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public <K> K create(Class<K> type) throws Exception {
            for (var constructor : type.getDeclaredConstructors()) {
                if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Services.class) {
                    return type.cast(constructor.newInstance(services));
                }
            }
            return CommandLine.defaultFactory().create(type);
        }
    }
}
