package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// Answer of a guest, or of the agent in its place when the request certainly was not executed.
///
/// @param status   how it ended
/// @param value    result of the operation, see [GuestOp]; 0 where it has none
/// @param values   results of an operation with several, otherwise empty
/// @param repeated the request was recognised as a repeat and this is the first result again
public record GuestReply(ReplyStatus status, long value, List<Long> values, boolean repeated) {
    public GuestReply {
        requireNonNull(status, "status is null");
        values = List.copyOf(values);
    }

    static GuestReply of(ReplyStatus status, long value) {
        return new GuestReply(status, value, List.of(), false);
    }
}
