package io.tombolo.chaos.coordination;

/// What a client of the ensemble notices.
public sealed interface CoordinationEffect {
    /// The number of the client.
    int client();

    /// A request is answered, or its connection was lost.
    record Answered(int client, long xid, Request request, Reply reply) implements CoordinationEffect {
    }

    /// A watch fired.
    record Notified(int client, WatchEvent event) implements CoordinationEffect {
    }

    /// What became of the client's connection or session.
    record Session(int client, Status status, long session) implements CoordinationEffect {
    }

    /// A server did not take the client.
    record Refused(int client, int server, Refusal refusal) implements CoordinationEffect {
    }

    /// A client's view of its session.
    enum Status {
        /// Connected, with a session.
        CONNECTED,
        /// Without connection; the session may live.
        DISCONNECTED,
        /// The session ended without the client's doing.
        EXPIRED,
        /// The client ended the session.
        CLOSED
    }

    /// Why a server did not take a client.
    enum Refusal {
        /// It does not run or does not serve.
        NOT_SERVING,
        /// It is behind what the client has seen.
        BEHIND_CLIENT,
        /// It cannot ask the leader about the session.
        NO_LEADER
    }
}
