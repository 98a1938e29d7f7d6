package io.tombolo.deploy.drill;

import static io.tombolo.deploy.drill.BankClientModel.ACCOUNTS;

import io.tombolo.agent.sim.BankProgram;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Comes after all clients of a `bank` have ended: every balance must be what it was at first and what the acknowledged
/// transfers of all clients made of it, so one that was lost or executed twice is found; and the guest's own accounts
/// must hold what they held.
final class BankAudit implements ClientModel {
    private final List<Long> balances;
    private final long total;
    private final List<ClientOperation> left = new ArrayList<>(
            List.of(ClientOperation.of(GuestOp.BANK_READ_ALL), ClientOperation.of(GuestOp.BANK_TOTAL)));

    /// @param total what all accounts of vCPU 0 hold, see [BankProgram#total]
    BankAudit(List<BankClientModel> clients, long total) {
        this.total = total;
        List<Long> expected = new ArrayList<>();
        for (int i = 0; i < ACCOUNTS; i++) {
            int account = i;
            expected.add(BankProgram.INITIAL_BALANCE + clients.stream().mapToLong(c -> c.moved()[account]).sum());
        }
        this.balances = List.copyOf(expected);
    }

    @Override
    public Optional<ClientOperation> next() {
        return Optional.empty();
    }

    @Override
    public Optional<ClientOperation> nextAtEnd() {
        return left.isEmpty() ? Optional.empty() : Optional.of(left.removeFirst());
    }

    @Override
    public String check(ClientOperation operation, GuestReply reply) {
        List<Long> expected = operation.op() == GuestOp.BANK_TOTAL ? List.of(total) : balances;
        return reply.status() == GuestStatus.OK && reply.values().equals(expected)
                ? ""
                : operation + " found " + reply.status() + reply.values() + ", expected OK" + expected;
    }
}
