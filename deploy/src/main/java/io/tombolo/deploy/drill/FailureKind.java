package io.tombolo.deploy.drill;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// How a drill makes a host fail.
public enum FailureKind {
    /// SIGKILL to the agent: a crash.
    KILL("kill -9 of the agent"),
    /// SIGSTOP to all processes of the host: they stand still, and would go on if anybody let them.
    STOP("SIGSTOP of the host's processes"),
    /// The host reaches no ZooKeeper server any more, and all else.
    PARTITION("cut off from ZooKeeper");

    private final String what;

    FailureKind(String what) {
        this.what = what;
    }

    /// The word on the command line and in the report.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// For people.
    public String what() {
        return what;
    }

    public static Optional<FailureKind> ofText(String text) {
        return Stream.of(values()).filter(kind -> kind.text().equals(text)).findFirst();
    }
}
