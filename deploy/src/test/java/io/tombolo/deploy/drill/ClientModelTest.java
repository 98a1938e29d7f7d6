package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.sim.BankProgram;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The models against real guest programs, and against guests that go wrong.
final class ClientModelTest {
    private static final int OPERATIONS = 2_000;

    private long sequence;

    @ParameterizedTest
    @ValueSource(strings = {"kv", "bank"})
    void aSoundGuestGivesNoWrongAnswerAndEveryKindOfAnswer(String program) {
        try (FakeGuest guest = new FakeGuest(FakeGuest.vm(program))) {
            ClientModel model = model(program, 1);
            Set<String> kinds = new HashSet<>();
            for (int i = 0; i < OPERATIONS; i++) {
                ClientOperation operation = model.next().orElseThrow();
                GuestReply reply = carryOut(guest, 1, operation);
                assertThat(model.check(operation, reply)).isEmpty();
                kinds.add(operation.op() + " " + reply.status());
            }
            assertThat(atEnd(guest, model)).isEmpty();
            assertThat(kinds).containsExactlyInAnyOrderElementsOf(program.equals("kv")
                    ? Set.of("KV_WRITE OK", "KV_READ OK", "KV_READ FAILED", "KV_CAS OK", "KV_CAS FAILED")
                    : Set.of("BANK_TRANSFER OK", "BANK_TRANSFER FAILED", "BANK_READ OK", "BANK_READ_ALL OK"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"kv", "bank"})
    void theSameSeedAndClientChooseTheSameOperationsAndOthersDoNot(String program) {
        List<String> first = chosen(program, 1);

        assertThat(chosen(program, 1)).isEqualTo(first);
        assertThat(chosen(program, 2)).isNotEqualTo(first);
    }

    @Test
    void clientsOfKvHaveKeysOfTheirOwn() {
        assertThat(keys(1)).hasSize(KvClientModel.KEYS).doesNotContainAnyElementsOf(keys(2));
    }

    @ParameterizedTest
    @EnumSource(value = GuestOp.class, names = {"KV_WRITE", "KV_CAS"})
    void aLostChangeOfAKeyIsSeen(GuestOp lost) {
        KvClientModel model = new KvClientModel(42, 1);
        ClientOperation write = ClientOperation.of(GuestOp.KV_WRITE, 1L << 32, 5L);
        assertThat(model.check(write, ok(5))).isEmpty();
        assertThat(model.check(lost == GuestOp.KV_WRITE
                ? ClientOperation.of(lost, 1L << 32, 7L)
                : ClientOperation.of(lost, 1L << 32, 5L, 7L), ok(7))).isEmpty();

        assertThat(model.check(ClientOperation.of(GuestOp.KV_READ, 1L << 32), ok(5)))
                .isEqualTo("KV_READ[4294967296] found OK[5], expected OK[7]");
    }

    @Test
    void aCompareAndSetThatShouldHaveFailedOrSucceededIsSeen() {
        KvClientModel model = new KvClientModel(42, 1);
        long key = 1L << 32;
        assertThat(model.check(ClientOperation.of(GuestOp.KV_CAS, key, 3L, 4L), ok(4))).contains("expected FAILED[0]");
        assertThat(model.check(ClientOperation.of(GuestOp.KV_WRITE, key, 5L), ok(5))).isEmpty();
        assertThat(model.check(ClientOperation.of(GuestOp.KV_CAS, key, 3L, 4L), ok(4))).contains("expected FAILED[5]");
        assertThat(model.check(ClientOperation.of(GuestOp.KV_CAS, key, 5L, 6L), failed(5))).contains("expected OK[6]");
    }

    @Test
    void aKeyThatWasLostOrIsDamagedIsSeen() {
        KvClientModel model = new KvClientModel(42, 1);
        ClientOperation read = ClientOperation.of(GuestOp.KV_READ, 1L << 32);
        assertThat(model.check(ClientOperation.of(GuestOp.KV_WRITE, 1L << 32, 5L), ok(5))).isEmpty();
        assertThat(model.check(read, failed(0))).contains("expected OK[5]");
        assertThat(model.check(read, new GuestReply(1, 1, GuestStatus.INVALID, List.of(0L)))).contains("found INVALID");
        assertThat(model.check(read, new GuestReply(1, 1, GuestStatus.OK, List.of()))).contains("found OK[]");
    }

    @Test
    void aBankWhoseBalancesCannotBeIsSeen() {
        BankClientModel model = new BankClientModel(42, 1);
        ClientOperation transfer = ClientOperation.of(GuestOp.BANK_TRANSFER, 0L, 1L, 300L);
        assertThat(model.check(transfer, ok(700))).isEmpty();
        assertThat(model.check(transfer, ok(-1))).isNotEmpty();
        assertThat(model.check(transfer, ok(15_701))).isNotEmpty();
        assertThat(model.check(transfer, failed(299))).isEmpty();
        assertThat(model.check(transfer, failed(300))).contains("BANK_TRANSFER[0, 1, 300] found FAILED[300]");
        assertThat(model.check(ClientOperation.of(GuestOp.BANK_READ, 3L), ok(16_001))).isNotEmpty();
        List<Long> all = new ArrayList<>(Collections.nCopies(16, 1000L));
        ClientOperation readAll = ClientOperation.of(GuestOp.BANK_READ_ALL);
        assertThat(model.check(readAll, new GuestReply(1, 1, GuestStatus.OK, all))).isEmpty();
        all.set(3, 999L);
        assertThat(model.check(readAll, new GuestReply(1, 1, GuestStatus.OK, all))).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTransferThatWasExecutedTwiceOrNotAtAllIsFoundByTheAudit(boolean twice) {
        try (FakeGuest guest = new FakeGuest(FakeGuest.vm("bank"))) {
            BankClientModel model = new BankClientModel(42, 1);
            ClientOperation transfer = ClientOperation.of(GuestOp.BANK_TRANSFER, 0L, 1L, 300L);
            assertThat(model.check(transfer, carryOut(guest, 1, transfer))).isEmpty();
            long total = BankProgram.total(SimulatedHypervisor.guestSpec(FakeGuest.vm("bank")));
            assertThat(atEnd(guest, new BankAudit(List.of(model), total))).isEmpty();

            if (twice) {
                carryOut(guest, 1, transfer);
            } else {
                assertThat(model.check(transfer, ok(400))).isEmpty();
            }

            assertThat(atEnd(guest, new BankAudit(List.of(model), total))).singleElement().asString()
                    .startsWith("BANK_READ_ALL[] found OK[").contains("expected OK[");
            assertThat(atEnd(guest, new BankAudit(List.of(model), total + 1))).hasSize(2);
        }
    }

    private static ClientModel model(String program, long client) {
        return program.equals("kv") ? new KvClientModel(42, client) : new BankClientModel(42, client);
    }

    private List<String> chosen(String program, long client) {
        try (FakeGuest guest = new FakeGuest(FakeGuest.vm(program))) {
            ClientModel model = model(program, client);
            List<String> operations = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                ClientOperation operation = model.next().orElseThrow();
                operations.add(operation.toString());
                assertThat(model.check(operation, carryOut(guest, client, operation))).isEmpty();
            }
            return operations;
        }
    }

    private static Set<Long> keys(long client) {
        KvClientModel model = new KvClientModel(42, client);
        List<ClientOperation> reads = new ArrayList<>();
        for (var next = model.nextAtEnd(); next.isPresent(); next = model.nextAtEnd()) {
            reads.add(next.get());
        }
        return reads.stream().map(o -> o.arg(0)).collect(Collectors.toSet());
    }

    private List<String> atEnd(FakeGuest guest, ClientModel model) {
        List<String> wrong = new ArrayList<>();
        for (var next = model.nextAtEnd(); next.isPresent(); next = model.nextAtEnd()) {
            wrong.add(model.check(next.get(), carryOut(guest, 99, next.get())));
        }
        wrong.removeIf(String::isEmpty);
        return wrong;
    }

    private GuestReply carryOut(FakeGuest guest, long client, ClientOperation operation) {
        return guest.call(new GuestCall("drill", client, ++sequence, operation.op().name(), operation.args()));
    }

    private static GuestReply ok(long value) {
        return new GuestReply(1, 1, GuestStatus.OK, List.of(value));
    }

    private static GuestReply failed(long value) {
        return new GuestReply(1, 1, GuestStatus.FAILED, List.of(value));
    }
}
