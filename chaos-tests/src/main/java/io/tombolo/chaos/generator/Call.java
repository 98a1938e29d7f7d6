package io.tombolo.chaos.generator;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.HistoryValues;

/// An operation that nobody has been given yet. Immutable.
///
/// @param f     what to do
/// @param value arguments, as in [HistoryValues]
public record Call(String f, Object value) {
    public Call {
        requireNonNull(f, "f is null");
        value = HistoryValues.immutable(value);
    }
}
