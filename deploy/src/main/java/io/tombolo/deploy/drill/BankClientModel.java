package io.tombolo.deploy.drill;

import io.tombolo.agent.sim.BankProgram;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import java.util.Optional;
import java.util.SplittableRandom;

/// A client of `bank`: moves money between the accounts, which all clients share, and looks at balances. It cannot know
/// a balance, since others move money too, but what all of them hold together, and, for [BankAudit], what its own
/// transfers come to.
final class BankClientModel implements ClientModel {
    static final int ACCOUNTS = BankProgram.CLIENT_ACCOUNTS;
    static final long ALL_MONEY = ACCOUNTS * BankProgram.INITIAL_BALANCE;
    /// Some transfers ask for more than there is.
    private static final long MOST_MOVED = 2 * BankProgram.INITIAL_BALANCE;

    private final SplittableRandom random;
    private final long[] moved = new long[ACCOUNTS];
    private boolean ended;

    BankClientModel(long seed, long client) {
        this.random = new SplittableRandom(seed ^ client << 32);
    }

    /// What the acknowledged transfers of this client have changed, by account.
    long[] moved() {
        return moved.clone();
    }

    @Override
    public Optional<ClientOperation> next() {
        long account = random.nextInt(ACCOUNTS);
        int kind = random.nextInt(10);
        if (kind < 6) {
            long other = (account + 1 + random.nextInt(ACCOUNTS - 1)) % ACCOUNTS;
            return Optional.of(ClientOperation.of(GuestOp.BANK_TRANSFER, account, other,
                    random.nextLong(1, MOST_MOVED)));
        }
        return Optional.of(kind < 8
                ? ClientOperation.of(GuestOp.BANK_READ, account)
                : ClientOperation.of(GuestOp.BANK_READ_ALL));
    }

    @Override
    public Optional<ClientOperation> nextAtEnd() {
        if (ended) {
            return Optional.empty();
        }
        ended = true;
        return Optional.of(ClientOperation.of(GuestOp.BANK_READ_ALL));
    }

    @Override
    public String check(ClientOperation operation, GuestReply reply) {
        boolean right = switch (operation.op()) {
            case BANK_TRANSFER -> transferred(operation, reply);
            case BANK_READ -> reply.status() == GuestStatus.OK && isBalance(reply);
            case BANK_READ_ALL -> reply.status() == GuestStatus.OK && reply.values().size() == ACCOUNTS
                    && reply.values().stream().mapToLong(Long::longValue).sum() == ALL_MONEY
                    && reply.values().stream().allMatch(b -> b >= 0);
            case KV_READ, KV_WRITE, KV_CAS, KV_APPEND, BANK_TOTAL ->
                throw new IllegalArgumentException("not an operation of this client: " + operation);
        };
        return right ? "" : operation + " found " + reply.status() + reply.values();
    }

    private boolean transferred(ClientOperation operation, GuestReply reply) {
        long amount = operation.arg(2);
        if (reply.status() == GuestStatus.OK) {
            moved[(int) operation.arg(0)] -= amount;
            moved[(int) operation.arg(1)] += amount;
            return isBalance(reply) && reply.values().getFirst() <= ALL_MONEY - amount;
        }
        return reply.status() == GuestStatus.FAILED && isBalance(reply) && reply.values().getFirst() < amount;
    }

    private static boolean isBalance(GuestReply reply) {
        return reply.values().size() == 1 && reply.values().getFirst() >= 0 && reply.values().getFirst() <= ALL_MONEY;
    }
}
