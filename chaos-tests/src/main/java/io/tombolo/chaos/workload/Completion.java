package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.OpType;

/// What became of an operation.
///
/// @param type  OK, FAIL or INFO
/// @param value what goes into the history as the completion's value
/// @param error why not OK, or why nobody knows; null if there is nothing to say
public record Completion(OpType type, Object value, String error) {
    public Completion {
        requireNonNull(type, "type is null");
        if (type == OpType.INVOKE) {
            throw new IllegalArgumentException("an invocation is no completion");
        }
    }

    /// It happened.
    public static Completion ok(Object value) {
        return new Completion(OpType.OK, value, null);
    }

    /// It certainly did not happen.
    public static Completion fail(Object value, String error) {
        return new Completion(OpType.FAIL, value, error);
    }

    /// Nobody knows.
    public static Completion info(Object value, String error) {
        return new Completion(OpType.INFO, value, error);
    }
}
