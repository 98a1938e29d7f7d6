package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.deploy.drill.OwnershipRecords.Stay;
import org.junit.jupiter.api.Test;

final class OwnershipRecordsTest {
    private final OwnershipRecords records = new OwnershipRecords("a", 1);

    @Test
    void aVmThatMovesCleanlyHasOneOwnerAtATime() {
        records.add(moved("a", "b", 1, 2, 100, 103));
        records.add(moved("b", "a", 2, 3, 200, 203));

        assertThat(records.doubleOwners()).isZero();
        assertThat(records.host()).isEqualTo("a");
        assertThat(records.stays()).containsExactly(new Stay("a", 1, Long.MIN_VALUE, 100), new Stay("b", 2, 103, 200),
                new Stay("a", 3, 203, Long.MAX_VALUE));
    }

    @Test
    void aTargetThatBeginsBeforeTheSourceEndedIsADoubleOwner() {
        records.add(moved("a", "b", 1, 2, 100, 99));

        assertThat(records.doubleOwners()).isEqualTo(1);
    }

    @Test
    void aStayThatOverlapsAnOlderOneIsFoundToo() {
        records.add(moved("a", "b", 1, 2, 100, 103));
        records.add(moved("b", "c", 2, 3, 200, 50));

        assertThat(records.doubleOwners()).isEqualTo(2);
    }

    @Test
    void anEpochThatDoesNotGrowIsAContradiction() {
        records.add(moved("a", "b", 1, 1, 100, 103));

        assertThat(records.doubleOwners()).isEqualTo(1);
        assertThat(records.contradictions()).containsExactly("epoch 1 after 1");
    }

    @Test
    void leavingAHostThatDidNotHaveItIsAContradiction() {
        records.add(moved("c", "b", 1, 2, 100, 103));

        assertThat(records.doubleOwners()).isEqualTo(1);
    }

    @Test
    void aTargetThatExecutedAlthoughTheSourceTookItBackIsAContradiction() {
        records.add(report("a", "b", 1, 3, 100, 103, HandoffOutcome.TAKEN_BACK));

        assertThat(records.doubleOwners()).isEqualTo(1);
        assertThat(records.host()).isEqualTo("a");
    }

    @Test
    void aHopThatWasTakenBackMovesTheEpochOnly() {
        records.add(report("a", "b", 1, 3, 100, 0, HandoffOutcome.TAKEN_BACK));
        records.add(moved("a", "b", 3, 4, 200, 203));

        assertThat(records.doubleOwners()).isZero();
        assertThat(records.stays()).hasSize(2);
    }

    private static HandoffReport moved(String from, String to, long before, long after, long last, long first) {
        return report(from, to, before, after, last, first, HandoffOutcome.COMPLETED);
    }

    private static HandoffReport report(String from, String to, long before, long after, long last, long first,
            HandoffOutcome outcome) {
        return new HandoffReport("vm", from, to, 1, 0, 0, 0, 0, 0, 0, last, first, first - last, 0, 0, before, after,
                outcome);
    }
}
