package io.tombolo.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.function.Predicate;

/// One asynchronous QMP event.
///
/// @param sequence position in the connection's stream of events, from 0
/// @param name for example STOP, RESUME, MIGRATION
/// @param data the event's data, a missing node if it has none
/// @param receivedNs System.nanoTime() when its line had been read; comparable between processes of one machine
/// @param atNs System.nanoTime() when QEMU raised it, see [#raisedNs]
public record QmpEvent(long sequence, String name, JsonNode data, long receivedNs, long atNs) {
    /// More than a slewed clock drifts between two looks at it, less than any step that matters.
    private static final long STEP_US = 1_000;

    /// When an event was raised, on the clock of System.nanoTime(): QEMU's wall-clock stamp less the distance of the
    /// two clocks. So an event that was received late is not counted as downtime (QEMU itself holds a STOP back while
    /// its migration thread has the big lock). If the distance has changed since it was last looked at, the wall clock
    /// was stepped and the time of receipt stands.
    ///
    /// @param distanceUs wall clock less System.nanoTime() at receipt
    /// @param distanceBeforeUs the same before the event was raised
    static long raisedNs(long receivedNs, long distanceUs, long distanceBeforeUs, long stampedWallUs) {
        long raisedNs = (stampedWallUs - distanceUs) * 1000;
        boolean stepped = Math.abs(distanceUs - distanceBeforeUs) > STEP_US;
        return stepped || raisedNs - receivedNs > 0 ? receivedNs : raisedNs;
    }

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
