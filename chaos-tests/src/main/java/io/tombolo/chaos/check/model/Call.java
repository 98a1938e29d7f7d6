package io.tombolo.chaos.check.model;

import static java.util.Objects.requireNonNull;

/// What a model sees of an operation: equal calls have equal effects, wherever they stand in a history. Immutable.
///
/// @param f      what is done
/// @param input  the arguments, without an independent key
/// @param output the answer, without an independent key; null if not known
/// @param known  whether the answer is known; if not, the call may have had any answer that the model allows
public record Call(String f, Object input, Object output, boolean known) {
    public Call {
        requireNonNull(f, "f is null");
    }
}
