package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.GuestOp;
import java.util.List;

/// One operation that a client of a drill wants done; what the arguments mean is the operation's.
record ClientOperation(GuestOp op, List<Long> args) {
    ClientOperation {
        requireNonNull(op, "op is null");
        args = List.copyOf(args);
    }

    static ClientOperation of(GuestOp op, Long... args) {
        return new ClientOperation(op, List.of(args));
    }

    long arg(int index) {
        return args.get(index);
    }

    @Override
    public String toString() {
        return op + args.toString();
    }
}
