package io.tombolo.chaos.coordination;

import io.tombolo.chaos.coordination.CoordinationState.Connection;
import java.util.ArrayList;
import java.util.List;

/// The same steps as [Coordination#step], on one state that is changed in place: for who runs one schedule after the
/// other and keeps no states. One thread.
public final class LiveCoordination {
    private final Draft draft;
    /// By number, which count from 0.
    private final List<Draft.DraftClient> clients;

    /// @param state where it begins
    public LiveCoordination(CoordinationState state) {
        draft = new Draft(state);
        clients = new ArrayList<>(draft.clients.values());
    }

    /// One event.
    ///
    /// @return what clients notice, in order
    /// @throws IllegalStateException if it cannot happen now
    public List<CoordinationEffect> step(CoordinationEvent event) {
        draft.effects.clear();
        Coordination.apply(draft, event);
        draft.trim();
        return List.copyOf(draft.effects);
    }

    /// Ends a session whatever its deadline is, as whoever knows its id and password can.
    public void endSession(long session) {
        Elections.end(draft, session);
    }

    /// A value with everything, at this moment.
    public CoordinationState state() {
        return draft.freeze();
    }

    /// One more client, not connected.
    public int newClient() {
        int number = draft.clients.size();
        clients.add(new Draft.DraftClient(CoordinationState.Client.NEW));
        draft.clients.put(number, clients.getLast());
        return number;
    }

    /// The tree after the newest transaction.
    public Znodes head() {
        return draft.head;
    }

    /// Virtual time in milliseconds.
    public long nowMs() {
        return draft.nowMs;
    }

    /// Server that leads or led last.
    public int leader() {
        return draft.leader;
    }

    /// Whether the leader can commit.
    public boolean hasQuorum() {
        return draft.hasQuorum();
    }

    /// The client's connection, null when there is none.
    public Connection connection(int client) {
        return clients.get(client).connection;
    }

    /// The client's session, 0 when it has none.
    public long session(int client) {
        return clients.get(client).session;
    }

    /// Whether [CoordinationEvent.Deliver] can be next.
    public boolean canDeliver(int client) {
        Draft.DraftClient from = clients.get(client);
        if (from.connection == null || from.connection.outbound().isEmpty()) {
            return false;
        }
        Draft.DraftServer server = draft.servers.get(from.connection.server());
        return server.up && server.serving && (from.connection.outbound().getFirst().request().goesToLeader()
                || server.waiting.stream().noneMatch(waiting -> waiting.client() == client));
    }

    /// Whether [CoordinationEvent.Order] can be next.
    public boolean canOrder(int server) {
        return !draft.servers.get(server).waiting.isEmpty() && Requests.next(draft.servers.get(server).waiting) >= 0
                && draft.hasQuorum();
    }

    /// What [CoordinationEvent.Order] would take.
    public CoordinationState.Waiting nextToOrder(int server) {
        return draft.servers.get(server).waiting.get(Requests.next(draft.servers.get(server).waiting));
    }

    /// Whether [CoordinationEvent.Apply] can be next.
    public boolean canApply(int server) {
        return draft.servers.get(server).applied < draft.logEnd() && draft.follows(draft.servers.get(server));
    }

    /// Whether [CoordinationEvent.Receive] can be next.
    public boolean canReceive(int client) {
        Connection connection = clients.get(client).connection;
        return connection != null && !connection.inbound().isEmpty();
    }

    /// Whether [CoordinationEvent.ReportSessions] can be next and says anything.
    public boolean canReport(int server) {
        return !draft.servers.get(server).heard.isEmpty() && draft.follows(draft.servers.get(server))
                && draft.hasQuorum();
    }

    /// Whether [CoordinationEvent.CutOff] can be next.
    public boolean linked(int server) {
        return draft.servers.get(server).linked;
    }

    /// Whether the process of the server runs.
    public boolean up(int server) {
        return draft.servers.get(server).up;
    }

    /// Whether the server answers clients.
    public boolean serving(int server) {
        return draft.servers.get(server).serving;
    }

    /// Whether the server is in touch with the present leader.
    public boolean follows(int server) {
        return draft.follows(draft.servers.get(server));
    }

    /// Whether the server follows the present leader, or followed it until it was cut off.
    public boolean sameEpoch(int server) {
        return draft.servers.get(server).epoch == draft.epoch;
    }

    /// How many requests that the server forwarded can still be committed.
    public int forwarded(int server) {
        int count = 0;
        for (CoordinationState.Waiting waiting : draft.servers.get(server).waiting) {
            if (waiting.due() < 0) {
                if (waiting.stuck()) {
                    return count;
                }
                count++;
            }
        }
        return count;
    }

    /// Sessions that may be ended now, oldest first.
    public List<Long> overdue() {
        return draft.hasQuorum()
                ? draft.sessions.values().stream().filter(session -> session.deadlineMs() <= draft.nowMs)
                        .map(CoordinationState.Session::id).toList()
                : List.of();
    }
}
