package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.FailureDetection.Incarnation;
import io.tombolo.coordinator.FailureDetection.Look;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.region.HostState;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class FailureDetectionTest {
    private static final long SESSION_NS = 2_000;
    private static final Look GONE = new Look(3, HostState.LIVE, 7, true, true);
    private final FailureDetection detection = new FailureDetection(100, SESSION_NS);

    private static HostRecord record(int slot, long incarnation) {
        return new HostRecord("h", new UUID(1, 1), slot, incarnation, new UUID(2, 2), 9, "127.0.0.1", 1, List.of());
    }

    @Test
    void suspectsAHostWhoseRecordItHasSeenGo() {
        assertThat(detection.look(101, List.of(record(3, 7)), List.of(GONE))).isEmpty();
        assertThat(detection.look(102, List.of(), List.of(GONE))).containsExactly(new Incarnation(3, 7));
    }

    @Test
    void suspectsAHostThatItHasNeverSeenOnlyAfterASession() {
        assertThat(detection.look(101, List.of(), List.of(GONE))).isEmpty();
        assertThat(detection.look(100 + SESSION_NS - 1, List.of(), List.of(GONE))).isEmpty();
        assertThat(detection.look(100 + SESSION_NS, List.of(), List.of(GONE))).containsExactly(new Incarnation(3, 7));
    }

    @Test
    void theRecordOfAnotherIncarnationIsNoSignOfThisOne() {
        assertThat(detection.look(101, List.of(record(3, 6)), List.of(GONE))).isEmpty();
        assertThat(detection.look(102, List.of(), List.of(GONE))).isEmpty();
        assertThat(detection.look(100 + SESSION_NS, List.of(record(3, 8)), List.of(GONE)))
                .containsExactly(new Incarnation(3, 7));
    }

    @Test
    void leavesHostsAloneThatOwnNothingOrNothingThatGoesOnOrAreFencedAlready() {
        long late = 100 + 2 * SESSION_NS;
        assertThat(detection.look(late, List.of(), List.of(new Look(3, HostState.LIVE, 7, false, false),
                new Look(4, HostState.LIVE, 7, true, false), new Look(5, HostState.FENCING, 7, true, true),
                new Look(6, HostState.STOPPED, 7, true, true), new Look(7, HostState.CLAIMING, 7, true, true),
                new Look(8, HostState.FREE, 7, false, false)))).isEmpty();
    }
}
