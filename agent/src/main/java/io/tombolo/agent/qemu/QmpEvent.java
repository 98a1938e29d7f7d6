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
    private static final long LONGEST_DELAY_NS = 100_000_000;

    /// When an event was raised, on the clock of System.nanoTime(): the time it was received less its delay, and the delay is the
    /// wall clock's at receipt less QEMU's wall-clock stamp. So neither a reader that got its turn late is counted as
    /// downtime, nor does a step of the wall clock matter, but for one in the delay itself; then the delay is out of bounds and
    /// the time of receipt stands.
    static long raisedNs(long receivedNs, long receivedWallUs, long stampedWallUs) {
        long delayNs = (receivedWallUs - stampedWallUs) * 1000;
        return delayNs >= 0 && delayNs <= LONGEST_DELAY_NS ? receivedNs - delayNs : receivedNs;
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
