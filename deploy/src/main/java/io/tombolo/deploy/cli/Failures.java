package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.deploy.Version;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/// Turns whatever ends a command into one line and an exit status.
final class Failures {
    static final int INTERNAL = 1;
    static final int USAGE = 2;

    private final Path stateDirectory;

    /// Stack traces go to `tombolo.log` in that directory.
    Failures(Path stateDirectory) {
        this.stateDirectory = requireNonNull(stateDirectory, "stateDirectory is null");
    }

    /// A command line that cannot be understood.
    static int usage(ParameterException exception, String[] args) {
        CommandLine command = exception.getCommandLine();
        PrintWriter err = command.getErr();
        if (exception.getCause() instanceof TomboloException tombolo) {
            err.println(withOption(tombolo, exception.getArgSpec()).getMessage());
            err.flush();
            return tombolo.code().exitStatus();
        }
        String name = command.getCommandSpec().qualifiedName();
        err.println("USAGE: " + exception.getMessage().replaceAll("\\s*\\R\\s*", " ") + ". Next: " + name + " --help");
        err.flush();
        return USAGE;
    }

    /// A converter knows the value but not whose value it is.
    private static TomboloException withOption(TomboloException exception, ArgSpec argument) {
        if (argument == null || exception.facts().containsKey("option")) {
            return exception;
        }
        TomboloException.Builder builder = TomboloException.error(exception.code(), exception.what()).fact("option",
                argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel());
        exception.facts().forEach(builder::fact);
        return builder.next(exception.next()).cause(exception).build();
    }

    /// A command that threw.
    int execution(Exception exception, CommandLine command, ParseResult result) {
        Throwable failure = exception;
        while ((failure instanceof CompletionException || failure instanceof ExecutionException)
                && failure.getCause() != null) {
            failure = failure.getCause();
        }
        PrintWriter err = command.getErr();
        int status = switch (failure) {
            case TomboloException tombolo -> known(err, tombolo);
            case RemoteException remote -> known(err, remote.toTombolo());
            default -> unexpected(err, failure, command.getCommandSpec().qualifiedName());
        };
        err.flush();
        return status;
    }

    private static int known(PrintWriter err, TomboloException exception) {
        err.println(exception.getMessage());
        return exception.code().exitStatus();
    }

    /// A defect of the program: the person gets a sentence, the stack goes to a file that they can send.
    private int unexpected(PrintWriter err, Throwable failure, String command) {
        String where;
        try {
            Path file = stateDirectory.resolve("tombolo.log");
            Files.createDirectories(file.getParent());
            try (PrintWriter log = new PrintWriter(
                    Files.newBufferedWriter(file, StandardCharsets.UTF_8, StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND))) {
                log.println(Instant.now() + " " + Version.tombolo() + " " + command);
                failure.printStackTrace(log);
            }
            where = "read the stack trace in " + file;
        } catch (IOException e) {
            failure.printStackTrace(err);
            where = "see above (no log: " + e.getMessage() + ")";
        }
        err.println("INTERNAL: " + command + " failed in a way that it should not: cause="
                + failure.getClass().getSimpleName() + " message=" + failure.getMessage() + ". Next: " + where);
        return INTERNAL;
    }
}
