package io.tombolo.chaos.history;

import static java.util.Objects.requireNonNull;

/// One event of a history: an invocation, or what became of it. Immutable.
///
/// @param index   position in the order of the journal; grows from event to event
/// @param timeNs  nanoseconds on one monotonic clock; for people and figures, never for the order of events
/// @param type    invocation or kind of completion
/// @param process logical process, not negative; after INFO a worker goes on as a new one. [#NEMESIS] injects faults
/// @param f       what is done: `read`, `write`, `cas`, `transfer`, `append`, …
/// @param value   arguments or result, made of what [HistoryValues] allows. Independent keys: `List.of(key, value)`
/// @param error   why it failed or is unknown; null if there is nothing to say
public record HistoryEvent(long index, long timeNs, OpType type, long process, String f, Object value, String error) {
    /// The process of everything that injects faults. Its events are not operations.
    public static final long NEMESIS = -1;

    /// Makes the value immutable.
    public HistoryEvent {
        requireNonNull(type, "type is null");
        requireNonNull(f, "f is null");
        if (index < 0) {
            throw new IllegalArgumentException("index is negative: " + index);
        }
        if (process < NEMESIS) {
            throw new IllegalArgumentException("no process: " + process);
        }
        value = HistoryValues.immutable(value);
    }

    /// Whether a nemesis did it.
    public boolean isNemesis() {
        return process == NEMESIS;
    }

    @Override
    public String toString() {
        return index + " " + (isNemesis() ? "nemesis" : process) + " " + type.word() + " " + f + " " + value
                + (error == null ? "" : " (" + error + ")");
    }
}
