package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.SimFixtures.MIB;
import static io.tombolo.agent.sim.SimFixtures.UUID_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.TomboloException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GuestRequestsTest {
    @TempDir
    Path directory;

    private ScratchMemory scratch;
    private SimulatedState kv;
    private SimulatedState bank;
    private ScratchMemory bankScratch;

    @BeforeEach
    void boot() {
        scratch = new ScratchMemory(MIB, 1);
        kv = SimFixtures.runFresh(SimFixtures.spec(GuestProgram.KV, MIB, 1, AccessPattern.UNIFORM, 1), scratch.memory(),
                1);
        bankScratch = new ScratchMemory(MIB, 1);
        bank = SimFixtures.runFresh(SimFixtures.spec(GuestProgram.BANK, MIB, 1, AccessPattern.UNIFORM, 1),
                bankScratch.memory(), 1);
    }

    @AfterEach
    void release() {
        scratch.close();
        bankScratch.close();
    }

    private GuestReply kv(long client, long sequence, GuestOp op, long a, long b, long c) {
        return GuestProgram.KV.call(kv.vcpu(0), scratch.memory(), GuestRequest.of(client, sequence, op, a, b, c));
    }

    private GuestReply bank(long client, long sequence, GuestOp op, long a, long b, long c) {
        return GuestProgram.BANK.call(bank.vcpu(0), bankScratch.memory(),
                GuestRequest.of(client, sequence, op, a, b, c));
    }

    private static GuestReply reply(ReplyStatus status, long value) {
        return new GuestReply(status, value, List.of(), false);
    }

    private static GuestReply repeated(ReplyStatus status, long value) {
        return new GuestReply(status, value, List.of(), true);
    }

    @Test
    void kvReadsWritesAndComparesAndSets() {
        assertThat(kv(1, 1, GuestOp.KV_READ, 5, 0, 0)).isEqualTo(reply(ReplyStatus.NOT_FOUND, 0));
        assertThat(kv(1, 2, GuestOp.KV_CAS, 5, 0, 1)).isEqualTo(reply(ReplyStatus.NOT_FOUND, 0));
        assertThat(kv(1, 3, GuestOp.KV_WRITE, 5, 50, 0)).isEqualTo(reply(ReplyStatus.OK, 50));
        assertThat(kv(1, 4, GuestOp.KV_READ, 5, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 50));
        assertThat(kv(1, 5, GuestOp.KV_CAS, 5, 49, 51)).isEqualTo(reply(ReplyStatus.CAS_MISMATCH, 50));
        assertThat(kv(1, 6, GuestOp.KV_CAS, 5, 50, 51)).isEqualTo(reply(ReplyStatus.OK, 51));
        assertThat(kv(1, 7, GuestOp.KV_READ, 5, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 51));
        assertThat(kv(1, 8, GuestOp.BANK_TOTAL, 0, 0, 0).status()).isEqualTo(ReplyStatus.BAD_REQUEST);
        assertThat(GuestProgram.KV.call(kv.vcpu(0), scratch.memory(), new GuestRequest(1, 9, 99, 0, 0, 0)).status())
                .isEqualTo(ReplyStatus.BAD_REQUEST);
    }

    @Test
    void kvAgreesWithAMapOverRandomOperations() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Map<Long, Long> model = new HashMap<>();
        for (int i = 0; i < 50_000; i++) {
            long key = random.nextLong(500) - 100;
            long value = random.nextLong(4);
            if (i % 3 == 0) {
                assertThat(kv(7, i, GuestOp.KV_WRITE, key, value, 0)).isEqualTo(reply(ReplyStatus.OK, value));
                model.put(key, value);
            } else if (i % 3 == 1) {
                Long known = model.get(key);
                assertThat(kv(7, i, GuestOp.KV_READ, key, 0, 0)).isEqualTo(
                        known == null ? reply(ReplyStatus.NOT_FOUND, 0) : reply(ReplyStatus.OK, known));
            } else {
                long expected = random.nextLong(4);
                Long known = model.get(key);
                GuestReply answer = kv(7, i, GuestOp.KV_CAS, key, expected, value);
                if (known != null && known == expected) {
                    assertThat(answer).isEqualTo(reply(ReplyStatus.OK, value));
                    model.put(key, value);
                } else {
                    assertThat(answer).isEqualTo(
                            known == null ? reply(ReplyStatus.NOT_FOUND, 0) : reply(ReplyStatus.CAS_MISMATCH, known));
                }
            }
        }
        GuestProgram.KV.checkAll(kv.vcpu(0), scratch.memory());
        assertThat(kv.errors()).isZero();
    }

    @Test
    void kvRefusesNewKeysWhenItsTableIsFullAndKeepsTheOldOnes() {
        long entries = kv.vcpu(0).get(KvProgram.ENTRIES);
        long full = entries - entries / 8;
        for (long key = 0; key < full; key++) {
            assertThat(kv(0, 0, GuestOp.KV_WRITE, key, key, 0).status()).isEqualTo(ReplyStatus.OK);
        }
        assertThat(kv(0, 0, GuestOp.KV_WRITE, full, 1, 0).status()).isEqualTo(ReplyStatus.TABLE_FULL);
        assertThat(kv(0, 0, GuestOp.KV_WRITE, 3, 33, 0).status()).isEqualTo(ReplyStatus.OK);
        assertThat(kv(0, 0, GuestOp.KV_READ, full - 1, 0, 0)).isEqualTo(reply(ReplyStatus.OK, full - 1));
        GuestProgram.KV.checkAll(kv.vcpu(0), scratch.memory());
        assertThat(kv.errors()).isZero();
    }

    @Test
    void executesARepeatedRequestOnceAndAnswersTheFirstResultAgain() {
        assertThat(kv(1, 1, GuestOp.KV_WRITE, 5, 50, 0)).isEqualTo(reply(ReplyStatus.OK, 50));
        assertThat(kv(1, 2, GuestOp.KV_CAS, 5, 50, 51)).isEqualTo(reply(ReplyStatus.OK, 51));
        assertThat(kv(2, 1, GuestOp.KV_WRITE, 5, 50, 0)).isEqualTo(reply(ReplyStatus.OK, 50));
        assertThat(kv(1, 2, GuestOp.KV_CAS, 5, 50, 51)).isEqualTo(repeated(ReplyStatus.OK, 51));
        assertThat(kv(3, 1, GuestOp.KV_READ, 5, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 50));
        assertThat(kv(1, 1, GuestOp.KV_WRITE, 5, 50, 0)).isEqualTo(reply(ReplyStatus.STALE_SEQUENCE, 2));
        assertThat(kv(1, 2, GuestOp.KV_CAS, 5, 50, 99).status()).isEqualTo(ReplyStatus.BAD_REQUEST);
        assertThat(kv(1, 2, GuestOp.KV_WRITE, 5, 50, 51).status()).isEqualTo(ReplyStatus.BAD_REQUEST);
        assertThat(kv(1, 9, GuestOp.KV_WRITE, 5, 9, 0)).isEqualTo(reply(ReplyStatus.OK, 9));
    }

    @Test
    void appendsOnceUntilTheListIsFull() {
        assertThat(kv(1, 1, GuestOp.KV_APPEND, 5, 7, 0)).isEqualTo(reply(ReplyStatus.OK, 0x7));
        assertThat(kv(2, 1, GuestOp.KV_APPEND, 5, 1, 0)).isEqualTo(reply(ReplyStatus.OK, 0x71));
        assertThat(kv(1, 1, GuestOp.KV_APPEND, 5, 7, 0)).isEqualTo(repeated(ReplyStatus.OK, 0x7));
        assertThat(kv(1, 2, GuestOp.KV_APPEND, 5, 0, 0).status()).isEqualTo(ReplyStatus.BAD_REQUEST);
        assertThat(kv(1, 3, GuestOp.KV_APPEND, 5, 16, 0).status()).isEqualTo(ReplyStatus.BAD_REQUEST);
        for (long sequence = 4; sequence < 18; sequence++) {
            assertThat(kv(1, sequence, GuestOp.KV_APPEND, 5, 15, 0).status()).isEqualTo(ReplyStatus.OK);
        }
        assertThat(kv(1, 18, GuestOp.KV_APPEND, 5, 2, 0).status()).isEqualTo(ReplyStatus.TABLE_FULL);
        assertThat(kv(3, 1, GuestOp.KV_READ, 5, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 0x71FF_FFFF_FFFF_FFFFL));
    }

    @Test
    void executesEveryTimeForAClientWithoutIdentity() {
        bank(0, 0, GuestOp.BANK_TRANSFER, 0, 1, 10);
        bank(0, 0, GuestOp.BANK_TRANSFER, 0, 1, 10);
        assertThat(bank(0, 0, GuestOp.BANK_READ, 1, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 1020));
    }

    @Test
    void refusesNewClientsWhenTheClientTableIsFullAndExecutesNothing() {
        long clients = kv.vcpu(0).get(ClientTable.ENTRIES);
        for (long client = 1; client <= clients; client++) {
            assertThat(kv(client, 1, GuestOp.KV_WRITE, 1, client, 0).status()).isEqualTo(ReplyStatus.OK);
        }
        assertThat(kv(clients + 1, 1, GuestOp.KV_WRITE, 1, -1, 0).status()).isEqualTo(ReplyStatus.CLIENTS_FULL);
        assertThat(kv(clients + 1, 1, GuestOp.KV_READ, 1, 0, 0)).isEqualTo(reply(ReplyStatus.OK, clients));
        assertThat(kv(clients, 1, GuestOp.KV_WRITE, 1, clients, 0)).isEqualTo(repeated(ReplyStatus.OK, clients));
    }

    @Test
    void doesNotExecuteWhenTheClientsEntryIsDamaged() {
        kv(1, 1, GuestOp.KV_WRITE, 5, 50, 0);
        long entry = kv.vcpu(0).get(ClientTable.BASE)
                + (Mix.finish(1) & (kv.vcpu(0).get(ClientTable.ENTRIES) - 1)) * ClientTable.ENTRY_BYTES;
        scratch.memory().setLong(entry + 8, 0);
        assertThat(kv(1, 1, GuestOp.KV_WRITE, 5, 51, 0).status()).isEqualTo(ReplyStatus.DAMAGED);
        assertThat(kv(0, 0, GuestOp.KV_READ, 5, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 50));
        assertThat(SelfCheck.describe(kv.vcpu(0).get(VcpuRegisters.FIRST_ERROR_KIND))).isEqualTo("CLIENT_ENTRY");
    }

    @Test
    void bankMovesMoneyAndKeepsTheTotal() {
        assertThat(bank(1, 1, GuestOp.BANK_TRANSFER, 2, 3, 400)).isEqualTo(reply(ReplyStatus.OK, 600));
        assertThat(bank(1, 2, GuestOp.BANK_TRANSFER, 2, 3, 601)).isEqualTo(reply(ReplyStatus.INSUFFICIENT, 600));
        assertThat(bank(1, 3, GuestOp.BANK_TRANSFER, 2, 2, 100)).isEqualTo(reply(ReplyStatus.OK, 600));
        assertThat(bank(1, 4, GuestOp.BANK_TRANSFER, 2, 16, 1)).isEqualTo(reply(ReplyStatus.NOT_FOUND, 0));
        assertThat(bank(1, 5, GuestOp.BANK_TRANSFER, -1, 2, 1)).isEqualTo(reply(ReplyStatus.NOT_FOUND, 0));
        assertThat(bank(1, 6, GuestOp.BANK_TRANSFER, 2, 3, -1)).isEqualTo(reply(ReplyStatus.BAD_REQUEST, 0));
        assertThat(bank(1, 7, GuestOp.BANK_READ, 3, 0, 0)).isEqualTo(reply(ReplyStatus.OK, 1400));
        GuestReply all = bank(1, 8, GuestOp.BANK_READ_ALL, 0, 0, 0);
        assertThat(all.value()).isEqualTo(16_000);
        assertThat(all.values()).hasSize(16).startsWith(1000L, 1000L, 600L, 1400L);
        assertThat(bank(1, 9, GuestOp.BANK_TOTAL, 0, 0, 0))
                .isEqualTo(reply(ReplyStatus.OK, 16_000 + 1000 * bank.vcpu(0).get(BankProgram.COUNT)));
        assertThat(bank(1, 10, GuestOp.KV_READ, 0, 0, 0).status()).isEqualTo(ReplyStatus.BAD_REQUEST);
    }

    @Test
    void bankAuditFindsMoneyFromNowhere() {
        VcpuRegisters regs = bank.vcpu(0);
        long account = regs.get(BankProgram.ACCOUNTS);
        bankScratch.memory().setLong(account, 5000);
        bankScratch.memory().setLong(account + 16,
                Mix.mix(account, 5000, bankScratch.memory().getLong(account + 8)));
        GuestProgram.BANK.run(regs, bankScratch.memory(), BankProgram.AUDIT_EVERY);
        assertThat(SelfCheck.describe(regs.get(VcpuRegisters.FIRST_ERROR_KIND))).isEqualTo("BANK_TOTAL");
    }

    @Test
    void queueRefusesWhenFullAndAnswersNotOwnerWhenTheVmLeaves() {
        RequestQueue queue = new RequestQueue(3, Runnable::run);
        List<CompletableFuture<GuestReply>> replies = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            replies.add(queue.submit(GuestRequest.of(1, i, GuestOp.KV_READ, 0, 0, 0)).reply());
        }
        assertThat(replies.get(3).join().status()).isEqualTo(ReplyStatus.QUEUE_FULL);
        assertThat(queue.waiting()).isEqualTo(3);
        RequestQueue.Pending taken = queue.poll();
        queue.leave();
        assertThat(replies.get(0)).isNotDone();
        queue.complete(taken, reply(ReplyStatus.OK, 1));
        assertThat(replies.get(0).join().status()).isEqualTo(ReplyStatus.OK);
        assertThat(replies.get(1).join().status()).isEqualTo(ReplyStatus.NOT_OWNER);
        assertThat(replies.get(2).join().status()).isEqualTo(ReplyStatus.NOT_OWNER);
        GuestRequest late = GuestRequest.of(1, 9, GuestOp.KV_READ, 0, 0, 0);
        assertThat(queue.submit(late).reply().join().status()).isEqualTo(ReplyStatus.NOT_OWNER);
        queue.reopen();
        assertThat(queue.submit(late).reply()).isNotDone();
    }

    @Test
    void queueNeverHandsOutAWithdrawnRequest() {
        RequestQueue queue = new RequestQueue(3, Runnable::run);
        RequestQueue.Pending first = queue.submit(GuestRequest.of(1, 1, GuestOp.KV_READ, 0, 0, 0));
        RequestQueue.Pending second = queue.submit(GuestRequest.of(1, 2, GuestOp.KV_READ, 0, 0, 0));
        assertThat(first.withdraw()).isTrue();
        assertThat(queue.poll()).isSameAs(second);
        assertThat(second.withdraw()).isFalse();
        assertThat(queue.poll()).isNull();
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void logKeepsEveryEntryInOrderInMemoryAndInTheSpillFile() {
        Path file = directory.resolve("input.log");
        try (InputLog log = InputLog.spilling(file, 2 * InputLog.CHUNK_ENTRIES)) {
            int count = 5 * InputLog.CHUNK_ENTRIES + 17;
            for (int i = 0; i < count; i++) {
                assertThat(log.hasRoom()).isTrue();
                log.append(i, i * 10L, new GuestRequest(1, i, 2, i, -i, Long.MIN_VALUE));
            }
            List<InputLog.Entry> entries = log.entries();
            assertThat(entries).hasSize(count);
            for (int i = 0; i < count; i++) {
                assertThat(entries.get(i))
                        .isEqualTo(new InputLog.Entry(i, i * 10L, new GuestRequest(1, i, 2, i, -i, Long.MIN_VALUE)));
            }
            // The file has no name from the start, so a killed agent leaves none behind.
            assertThat(Files.exists(file)).isFalse();
        }
    }

    @Test
    void logWithoutSpillFileIsFullAtItsLimit() {
        try (InputLog log = InputLog.inMemory(1)) {
            for (int i = 0; i < InputLog.CHUNK_ENTRIES; i++) {
                assertThat(log.hasRoom()).isTrue();
                log.append(i, 0, new GuestRequest(1, i, 2, 0, 0, 0));
            }
            assertThat(log.hasRoom()).isFalse();
            assertThat(log.entries()).hasSize(InputLog.CHUNK_ENTRIES);
        }
    }

    @Test
    void mergeRefusesAHoleAndTwoDifferentEntriesOfOneIndex() {
        InputLog.Entry zero = new InputLog.Entry(0, 5, GuestRequest.of(1, 1, GuestOp.KV_READ, 0, 0, 0));
        InputLog.Entry one = new InputLog.Entry(1, 6, GuestRequest.of(1, 2, GuestOp.KV_READ, 0, 0, 0));
        InputLog.Entry otherOne = new InputLog.Entry(1, 7, GuestRequest.of(1, 2, GuestOp.KV_READ, 0, 0, 0));
        InputLog.Entry two = new InputLog.Entry(2, 8, GuestRequest.of(1, 3, GuestOp.KV_READ, 0, 0, 0));
        assertThat(InputLog.merge(List.of(List.of(two), List.of(zero, one), List.of(one)))).containsExactly(zero, one,
                two);
        assertThatThrownBy(() -> InputLog.merge(List.of(List.of(zero), List.of(two))))
                .isInstanceOf(TomboloException.class).hasMessageStartingWith("INPUT_LOG_INCOMPLETE");
        assertThatThrownBy(() -> InputLog.merge(List.of(List.of(zero, one), List.of(otherOne))))
                .hasMessageStartingWith("INPUT_LOG_INCOMPLETE");
    }

    @Test
    void replayRefusesALogThatDoesNotFitTheRun() {
        GuestSpec spec = new GuestSpec(UUID_1, MIB, 1, GuestProgram.KV, 0, AccessPattern.UNIFORM, 1);
        InputLog.Entry beyond = new InputLog.Entry(0, 101, GuestRequest.of(1, 1, GuestOp.KV_WRITE, 1, 1, 0));
        assertThatThrownBy(() -> ReferenceRun.compute(spec, new long[]{100}, List.of(beyond), directory))
                .hasMessageStartingWith("INPUT_LOG_INCOMPLETE");
        InputLog.Entry second = new InputLog.Entry(1, 50, GuestRequest.of(1, 1, GuestOp.KV_WRITE, 1, 1, 0));
        assertThatThrownBy(() -> ReferenceRun.compute(spec, new long[]{100}, List.of(second), directory))
                .hasMessageContaining("expectedIndex=0");
    }
}
