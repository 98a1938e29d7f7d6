package io.tombolo.chaos.check.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `tombolo chaos`, until the harness brings its own.
@Command(name = "chaos", description = "Attack a cluster, and judge what came of it.", subcommands = CheckCommand.class)
final class ChaosCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
