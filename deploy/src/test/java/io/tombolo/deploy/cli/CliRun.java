package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.deploy.cluster.ClusterPlaces;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;

/// One command line and what a person saw of it: the exit status, standard output, standard error.
record CliRun(String command, int status, String out, String err) {
    /// Runs a command in this process with real services, whose clusters are at `places`.
    static CliRun of(ClusterPlaces places, String... words) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Tombolo.run(new LiveServices(places), new PrintWriter(out, true), new PrintWriter(err, true),
                words);
        return new CliRun(String.join(" ", words), status, out.toString(), err.toString());
    }

    /// The same for commands that start or look for no local cluster.
    static CliRun of(String... words) {
        return of(new ClusterPlaces(Path.of("no-such-directory"), Path.of("/dev/shm")), words);
    }

    CliRun succeeds() {
        assertThat(status).as("%s: %s%s", command, out, err).isZero();
        return this;
    }

    /// Holds what every refusal has: the code first, one line, a fact, a next step, and the exit status of the code.
    CliRun isRefused(String code, int expectedStatus) {
        assertThat(err).as(command).startsWith(code + ": ").containsPattern("[a-zA-Z]+=\\S").contains(" Next: ")
                .hasLineCount(1).doesNotContain("\tat ").doesNotContain("Exception");
        assertThat(status).as("%s: %s", command, err).isEqualTo(expectedStatus);
        return this;
    }
}
