package io.tombolo.deploy.cli;

import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;

/// One way to refuse the value of an option.
final class Options {
    private Options() {
    }

    static TomboloException invalid(String option, Object found, String expected) {
        return TomboloException.error(DeployError.OPTION_INVALID, "an option has a value that it cannot have")
                .fact("option", option).fact("found", found).fact("expected", expected)
                .next("correct it and repeat the command").build();
    }

    static void check(boolean holds, String option, Object found, String expected) {
        if (!holds) {
            throw invalid(option, found, expected);
        }
    }

    /// What is longer than an int of milliseconds is refused by whoever knows the limits.
    static int wholeMs(long ns) {
        return (int) Math.min(Integer.MAX_VALUE, ns / 1_000_000);
    }
}
