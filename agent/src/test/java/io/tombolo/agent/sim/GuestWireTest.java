package io.tombolo.agent.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.TomboloException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class GuestWireTest {
    private static AgentRequest.GuestCall call(String op, Long... args) {
        return new AgentRequest.GuestCall("web", 7, 3, op, List.of(args));
    }

    @Test
    void makesRequestsOfCalls() {
        assertThat(GuestWire.request(call("cas", 1L, 2L, 3L)))
                .isEqualTo(GuestRequest.of(7, 3, GuestOp.KV_CAS, 1, 2, 3));
        assertThat(GuestWire.request(call("balances")))
                .isEqualTo(GuestRequest.of(7, 3, GuestOp.BANK_READ_ALL, 0, 0, 0));
        assertThatThrownBy(() -> GuestWire.request(call("drop"))).hasMessageStartingWith("GUEST_CALL_INVALID");
        assertThatThrownBy(() -> GuestWire.request(call("read", 1L, 2L, 3L, 4L)))
                .hasMessageStartingWith("GUEST_CALL_INVALID");
    }

    @ParameterizedTest
    @EnumSource(ReplyStatus.class)
    void everyStatusIsAReplyOrAnErrorNeverBoth(ReplyStatus status) {
        boolean error = switch (status) {
            case CLIENTS_FULL, QUEUE_FULL, NOT_OWNER, LOG_FULL, DAMAGED -> true;
            case OK, NOT_FOUND, CAS_MISMATCH, INSUFFICIENT, TABLE_FULL, BAD_REQUEST, STALE_SEQUENCE -> false;
        };
        if (error) {
            assertThatThrownBy(() -> GuestWire.reply(call("read", 1L), GuestReply.of(status, 9)))
                    .isInstanceOf(TomboloException.class).hasMessageContaining("client=7 seq=3");
        } else {
            assertThat(GuestWire.reply(call("read", 1L), GuestReply.of(status, 9)).status() == GuestStatus.OK)
                    .isEqualTo(status == ReplyStatus.OK);
        }
    }

    @Test
    void carriesLogsBothWays() {
        InputLog.Entry entry = new InputLog.Entry(0, 512, GuestRequest.of(7, 3, GuestOp.BANK_TRANSFER, 1, 2, 3));
        InputEntry wire = GuestWire.entry(entry);
        assertThat(wire).isEqualTo(new InputEntry(0, 512, 7, 3, "transfer", List.of(1L, 2L, 3L)));
        assertThat(GuestWire.entries(List.of(wire))).containsExactly(entry);
        InputEntry earlier = new InputEntry(0, 511, 7, 4, "transfer", List.of(1L, 2L, 3L));
        assertThatThrownBy(() -> GuestWire.entries(List.of(wire, earlier)))
                .hasMessageStartingWith("INPUT_LOG_INCOMPLETE");
    }

    @Test
    void labelsAndCodesOfOperationsAreUnique() {
        for (GuestOp op : GuestOp.values()) {
            assertThat(GuestOp.of(op.code())).isEqualTo(op);
            assertThat(GuestOp.of(op.label())).isEqualTo(op);
        }
        assertThat(GuestOp.of(0)).isNull();
        assertThat(GuestOp.of("")).isNull();
    }

    @Test
    void makesADefinitionOfTheClusters() {
        VmSpec vm = new VmSpec("web", SimFixtures.UUID_1, "simulated", 1 << 20, 2, "kv", 1 << 19, "zipf", 5);
        assertThat(GuestSpec.of(vm)).isEqualTo(
                new GuestSpec(SimFixtures.UUID_1, 1 << 20, 2, GuestProgram.KV, 1 << 19, AccessPattern.ZIPF, 5));
        VmSpec linux = new VmSpec("web", SimFixtures.UUID_1, "qemu", 1 << 20, 2, "linux", 0, "zipf", 5);
        assertThatThrownBy(() -> GuestSpec.of(linux)).hasMessageStartingWith("GUEST_SPEC_INVALID");
    }
}
