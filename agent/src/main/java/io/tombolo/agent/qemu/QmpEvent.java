package io.tombolo.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.function.Predicate;

/// One asynchronous QMP event.
///
/// @param sequence position in the connection's stream of events, from 0
/// @param name for example STOP, RESUME, MIGRATION
/// @param data the event's data, a missing node if it has none
/// @param receivedNs System.nanoTime() when its line had been read; comparable between processes of one machine
/// @param wallUs QEMU's own wall-clock time stamp in microseconds; a clock step falsifies differences of it
public record QmpEvent(long sequence, String name, JsonNode data, long receivedNs, long wallUs) {
    /// Matches the migration status event with one of `statuses`.
    static Predicate<QmpEvent> migration(String... statuses) {
        return event -> {
            if (!event.name.equals("MIGRATION")) {
                return false;
            }
            String status = event.data.path("status").asText();
            for (String wanted : statuses) {
                if (wanted.equals(status)) {
                    return true;
                }
            }
            return false;
        };
    }

    static Predicate<QmpEvent> named(String name) {
        return event -> event.name.equals(name);
    }
}
