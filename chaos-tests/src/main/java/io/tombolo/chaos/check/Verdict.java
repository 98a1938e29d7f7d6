package io.tombolo.chaos.check;

import java.util.Collection;

/// What a checker says. The ordinal is not the order of badness: see [#worse].
public enum Verdict {
    /// Checked, and holds.
    VALID,
    /// Checked, and does not hold: there is a counterexample.
    INVALID,
    /// Not decided: out of time or memory, or nothing there to check. Never green.
    UNKNOWN;

    /// Exit status of a command that ends with this verdict, as Jepsen's: 0, 1, 2.
    public int exitStatus() {
        return switch (this) {
            case VALID -> 0;
            case INVALID -> 1;
            case UNKNOWN -> 2;
        };
    }

    /// The worse of the two: INVALID before UNKNOWN before VALID, because a counterexample stays one whatever else is
    /// not known.
    public Verdict worse(Verdict other) {
        if (this == INVALID || other == INVALID) {
            return INVALID;
        }
        return this == UNKNOWN ? this : other;
    }

    /// The worst of all; VALID of none.
    public static Verdict worst(Collection<Verdict> verdicts) {
        return verdicts.stream().reduce(VALID, Verdict::worse);
    }
}
