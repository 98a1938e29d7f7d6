package io.tombolo.chaos.coordination;

import java.util.List;
import java.util.SortedSet;

/// What may happen next; see `docs/coordination-model.md`.
public sealed interface CoordinationEvent {
    /// A client connects to a server, with its session if it has one; `timeoutMs` counts for a new one.
    record Connect(int client, int server, int timeoutMs) implements CoordinationEvent {
    }

    /// A client's connection is lost, with what is under way on it.
    record Disconnect(int client) implements CoordinationEvent {
    }

    /// A client hands a request to its connection. `xid` is the caller's number of it, positive, not in use.
    record Submit(int client, long xid, Request request) implements CoordinationEvent {
    }

    /// The server takes the client's next request.
    record Deliver(int client) implements CoordinationEvent {
    }

    /// The leader takes the next request that a server forwarded.
    record Order(int server) implements CoordinationEvent {
    }

    /// A server applies the next transaction.
    record Apply(int server) implements CoordinationEvent {
    }

    /// The client takes the next answer or event.
    record Receive(int client) implements CoordinationEvent {
    }

    /// A follower tells the leader which sessions it heard from.
    record ReportSessions(int server) implements CoordinationEvent {
    }

    /// Virtual time passes.
    record Advance(long ms) implements CoordinationEvent {
    }

    /// The leader ends a session whose deadline has passed.
    record Expire(long session) implements CoordinationEvent {
    }

    /// A server and the leader no longer reach each other; the leader: it reaches nobody.
    record CutOff(int server) implements CoordinationEvent {
    }

    /// They reach each other again. A server that went on serving takes up where it was, if the leader is the same.
    record Rejoin(int server) implements CoordinationEvent {
    }

    /// A server that has no leader stops serving.
    record Notice(int server) implements CoordinationEvent {
    }

    /// A server's process ends.
    record Stop(int server) implements CoordinationEvent {
    }

    /// A server's process begins; it serves after a Rejoin or an Elect.
    record Start(int server) implements CoordinationEvent {
    }

    /// A majority chooses a leader.
    ///
    /// @param members who takes part, the leader included
    /// @param survivors for each request in flight that the old leader still commits: the server that forwarded it, in
    ///            the order of commit
    record Elect(int leader, SortedSet<Integer> members, List<Integer> survivors) implements CoordinationEvent {
        public Elect {
            survivors = List.copyOf(survivors);
        }
    }
}
