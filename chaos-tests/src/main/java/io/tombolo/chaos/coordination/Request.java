package io.tombolo.chaos.coordination;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.SortedSet;

/// What a client asks for. `version` -1 means any.
public sealed interface Request {
    /// A request that changes the tree, and may be part of a transaction.
    sealed interface Write extends Request {
    }

    /// How a node is created.
    enum Mode {
        PERSISTENT, PERSISTENT_SEQUENTIAL, EPHEMERAL, EPHEMERAL_SEQUENTIAL;

        boolean ephemeral() {
            return this == EPHEMERAL || this == EPHEMERAL_SEQUENTIAL;
        }

        boolean sequential() {
            return this == PERSISTENT_SEQUENTIAL || this == EPHEMERAL_SEQUENTIAL;
        }
    }

    /// Creates a node; a sequential one gets ten digits behind its path.
    record Create(String path, String data, Mode mode) implements Write {
        public Create {
            requireNonNull(path, "path is null");
            requireNonNull(mode, "mode is null");
        }
    }

    /// Deletes a node.
    record Delete(String path, int version) implements Write {
    }

    /// Sets a node's data.
    record SetData(String path, String data, int version) implements Write {
    }

    /// Fails if the node is not there or its version is another. Only in a transaction.
    record Check(String path, int version) implements Write {
    }

    /// All or nothing.
    record Multi(List<Write> operations) implements Request {
        public Multi {
            operations = List.copyOf(operations);
        }
    }

    /// Looks for a node; the watch is set also when there is none.
    record Exists(String path, boolean watch) implements Request {
    }

    /// Reads a node's data.
    record GetData(String path, boolean watch) implements Request {
    }

    /// Lists a node's children.
    record GetChildren(String path, boolean watch) implements Request {
    }

    /// Answered when the server has applied all that was ordered before it.
    record Sync(String path) implements Request {
    }

    /// The heartbeat: answered by the server alone, in the session's order.
    record Ping() implements Request {
    }

    /// Ends the session.
    record Close() implements Request {
    }

    /// What a client sends by itself to open a session.
    record Open(int timeoutMs) implements Request {
    }

    /// What a client sends by itself on a new connection: watches it had, and the zxid up to which it knows.
    record SetWatches(long zxid, SortedSet<String> data, SortedSet<String> exist, SortedSet<String> children)
            implements
                Request {
    }

    /// Whether the leader has to see it.
    default boolean goesToLeader() {
        return switch (this) {
            case Write _,Multi _,Sync _,Close _,Open _ -> true;
            case Exists _,GetData _,GetChildren _,Ping _,SetWatches _ -> false;
        };
    }
}
