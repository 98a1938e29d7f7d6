package io.tombolo.agent.sim;

import io.tombolo.region.TomboloException;
import java.util.Locale;

/// In what order a vCPU visits the pages of its working set. Integer arithmetic only, so that every JVM visits the same
/// pages. Codes are stored in registers and blobs and never change.
public enum AccessPattern {
    /// Page after page, from the first again.
    SEQUENTIAL(1),
    /// Every page equally likely.
    UNIFORM(2),
    /// Rank r with probability about 1/r (log-uniform by octaves: the Zipf law with exponent 1), ranks scattered over
    /// the working set.
    ZIPF(3);

    private final int code;

    AccessPattern(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The name that a person types.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The pattern of a label.
    ///
    /// @throws TomboloException [SimError#GUEST_SPEC_INVALID] for a name that is none
    public static AccessPattern of(String label) {
        for (AccessPattern pattern : values()) {
            if (pattern.label().equals(label)) {
                return pattern;
            }
        }
        throw TomboloException.error(SimError.GUEST_SPEC_INVALID, "unknown access pattern").fact("pattern", label)
                .next("use sequential, uniform or zipf").build();
    }
}
