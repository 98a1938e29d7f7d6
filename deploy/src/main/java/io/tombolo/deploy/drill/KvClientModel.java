package io.tombolo.deploy.drill;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// A client of `kv`: its keys are its own, so a map of what it wrote says what every answer has to be. At the end it
/// reads all of them once more.
final class KvClientModel implements ClientModel {
    /// Sixteen clients with sixteen keys each fit the smallest table that the guest makes.
    static final int KEYS = 16;
    private static final int KEY_SHIFT = 32;

    private final long firstKey;
    private final SplittableRandom random;
    /// By key; 0 = never written. Values that are written are never 0.
    private final long[] values = new long[KEYS];
    private int readAtEnd;

    KvClientModel(long seed, long client) {
        this.firstKey = client << KEY_SHIFT;
        this.random = new SplittableRandom(seed ^ client << KEY_SHIFT);
    }

    @Override
    public Optional<ClientOperation> next() {
        int index = random.nextInt(KEYS);
        long key = firstKey + index;
        int kind = random.nextInt(10);
        if (kind < 4) {
            return Optional.of(ClientOperation.of(GuestOp.KV_WRITE, key, value()));
        }
        if (kind < 7) {
            return Optional.of(ClientOperation.of(GuestOp.KV_READ, key));
        }
        // One in three expects what is not there.
        long expected = kind < 9 ? values[index] : value();
        return Optional.of(ClientOperation.of(GuestOp.KV_CAS, key, expected, value()));
    }

    private long value() {
        return random.nextLong() | 1;
    }

    @Override
    public Optional<ClientOperation> nextAtEnd() {
        return readAtEnd == KEYS
                ? Optional.empty()
                : Optional.of(ClientOperation.of(GuestOp.KV_READ, firstKey + readAtEnd++));
    }

    @Override
    public String check(ClientOperation operation, GuestReply reply) {
        int index = (int) (operation.arg(0) - firstKey);
        boolean done = values[index] != 0;
        switch (operation.op()) {
            case KV_WRITE -> {
                values[index] = operation.arg(1);
                done = true;
            }
            case KV_CAS -> {
                done &= values[index] == operation.arg(1);
                values[index] = done ? operation.arg(2) : values[index];
            }
            case KV_READ -> {
            }
            case KV_APPEND, BANK_TRANSFER, BANK_READ, BANK_READ_ALL, BANK_TOTAL ->
                throw new IllegalArgumentException("not an operation of kv: " + operation);
        }
        GuestStatus status = done ? GuestStatus.OK : GuestStatus.FAILED;
        boolean right = reply.status() == status && reply.values().equals(List.of(values[index]));
        return right
                ? ""
                : operation + " found " + reply.status() + reply.values() + ", expected " + status + "["
                        + values[index] + "]";
    }
}
