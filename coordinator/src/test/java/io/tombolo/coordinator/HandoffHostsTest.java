package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class HandoffHostsTest {
    private static final HandoffEvent SOURCE_GONE = new HandoffEvent.HostGone(HandoffSide.SOURCE);
    private static final HandoffEvent SOURCE_BACK = new HandoffEvent.HostBack(HandoffSide.SOURCE);
    private static final HostRecord TARGET = host("bee", 1, 4);

    private final HandoffHosts hosts = new HandoffHosts(new IntentRecord("v", 0, "ant", 0, "bee", 1, 7, 1, 1, 9));

    private static HostRecord host(String name, int slot, long incarnation) {
        return new HostRecord(name, new UUID(1, slot), slot, incarnation, new UUID(2, 2), 99, "127.0.0.1", 4711,
                List.of("simulated"));
    }

    @Test
    void tellsEachChangeOnce() {
        assertThat(hosts.look(List.of(host("ant", 0, 3), TARGET))).isEmpty();
        assertThat(hosts.look(List.of(TARGET))).containsExactly(SOURCE_GONE);
        assertThat(hosts.look(List.of(TARGET))).isEmpty();
        assertThat(hosts.look(List.of(host("ant", 0, 3), TARGET))).containsExactly(SOURCE_BACK);
        assertThat(hosts.look(List.of())).containsExactly(SOURCE_GONE,
                new HandoffEvent.HostGone(HandoffSide.TARGET));
    }

    @Test
    void anotherHostOrIncarnationInTheSlotIsNotTheOneOfTheIntent() {
        assertThat(hosts.look(List.of(host("ant", 0, 3), TARGET))).isEmpty();
        assertThat(hosts.look(List.of(host("ant", 0, 5), TARGET))).containsExactly(SOURCE_GONE);
        assertThat(hosts.look(List.of(host("cat", 0, 3), TARGET))).isEmpty();
        assertThat(hosts.look(List.of(host("ant", 2, 3), TARGET))).isEmpty();
        assertThat(hosts.look(List.of(host("ant", 0, 3), TARGET))).containsExactly(SOURCE_BACK);
    }
}
