package io.tombolo.chaos.explore;

import io.tombolo.deploy.cli.CommandProvider;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `tombolo explore PROTOCOL... --faults N`: the exhaustive mode by itself.
@Command(name = "explore", description = "Explores every interleaving of a small configuration of a protocol.")
public final class ExploreCommand implements Callable<Integer> {
    private static final int VALID = 0;
    private static final int INVALID = 1;
    private static final int UNKNOWN = 2;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "PROTOCOL", arity = "0..*", description = "hand-off, lease, page-move; all by default")
    private List<String> protocols = List.of();

    @Option(names = "--faults", paramLabel = "N", description = "faults of one run, 2 by default")
    private int faults = 2;

    /// For the command line.
    public static final class Provider implements CommandProvider {
        @Override
        public Object command() {
            return new ExploreCommand();
        }
    }

    @Override
    public Integer call() {
        if (faults < 0) {
            throw new ParameterException(spec.commandLine(), "--faults must not be negative: " + faults);
        }
        List<Exhaustive.Protocol> all = protocols.isEmpty()
                ? List.of(Exhaustive.Protocol.values())
                : protocols.stream().map(this::protocol).toList();
        int status = VALID;
        for (Exhaustive.Protocol protocol : all) {
            Explorer.Result result = Exhaustive.run(protocol, faults, System.out);
            int one = result.violation().isPresent() ? INVALID : result.complete() ? VALID : UNKNOWN;
            status = status == INVALID || one == INVALID ? INVALID : Math.max(status, one);
        }
        return status;
    }

    private Exhaustive.Protocol protocol(String label) {
        return Arrays.stream(Exhaustive.Protocol.values())
                .filter(protocol -> protocol.label().equals(label.toLowerCase(Locale.ROOT))).findFirst()
                .orElseThrow(() -> new ParameterException(spec.commandLine(), "no such protocol: " + label
                        + "; there are "
                        + Arrays.stream(Exhaustive.Protocol.values()).map(Exhaustive.Protocol::label).toList()));
    }
}
