package io.tombolo.chaos.coordination;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/// A ZooKeeper ensemble with its clients as a pure step function, `step(state, event) -> state + effects`.
///
/// All that is not determined in ZooKeeper is an event that the caller chooses. [#enabled] lists what network and
/// servers can do by themselves; faults and what clients want are the caller's. Guarantees and lapses:
/// `docs/coordination-model.md`.
public final class Coordination {
    private Coordination() {
    }

    /// What one event yields.
    ///
    /// @param effects in order
    public record Step(CoordinationState state, List<CoordinationEffect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    /// An ensemble that serves, led by server 0, with the clients 0 to `clients - 1`, none of them connected.
    public static CoordinationState start(int servers, int clients, int tickMs) {
        if (servers < 1 || clients < 0 || tickMs < 1) {
            throw new IllegalArgumentException("servers=" + servers + " clients=" + clients + " tickMs=" + tickMs);
        }
        CoordinationState.Server server = new CoordinationState.Server(true, true, true, 1, 0, Znodes.EMPTY, 0,
                List.of(), new TreeSet<>(), new TreeMap<>(), new TreeMap<>());
        SortedMap<Integer, CoordinationState.Client> all = new TreeMap<>();
        IntStream.range(0, clients).forEach(client -> all.put(client, CoordinationState.Client.NEW));
        return new CoordinationState(tickMs, 0, 0, 1, zxid(1, 0), 1, 0, List.of(), Znodes.EMPTY,
                IntStream.range(0, servers).mapToObj(_ -> server).toList(), new TreeMap<>(), all);
    }

    static long zxid(int epoch, int counter) {
        return (long) epoch << 32 | counter;
    }

    /// One event.
    ///
    /// @throws IllegalStateException if it cannot happen in this state
    public static Step step(CoordinationState state, CoordinationEvent event) {
        Draft draft = new Draft(state);
        apply(draft, event);
        return new Step(draft.freeze(), draft.effects);
    }

    static void apply(Draft draft, CoordinationEvent event) {
        switch (event) {
            case CoordinationEvent.Connect connect -> Connections.connect(draft, connect);
            case CoordinationEvent.Disconnect lost -> Connections.disconnect(draft, lost.client());
            case CoordinationEvent.Submit submit -> Connections.submit(draft, submit);
            case CoordinationEvent.Deliver deliver -> Requests.deliver(draft, deliver.client());
            case CoordinationEvent.Order order -> Requests.order(draft, order.server());
            case CoordinationEvent.Apply apply -> Requests.apply(draft, apply.server());
            case CoordinationEvent.Receive receive -> Connections.receive(draft, receive.client());
            case CoordinationEvent.ReportSessions report -> Elections.report(draft, report.server());
            case CoordinationEvent.Advance advance -> draft.nowMs = Math.addExact(draft.nowMs, advance.ms());
            case CoordinationEvent.Expire expire -> Elections.expire(draft, expire.session());
            case CoordinationEvent.CutOff cut -> Elections.cutOff(draft, cut.server());
            case CoordinationEvent.Rejoin rejoin -> Elections.rejoin(draft, rejoin.server());
            case CoordinationEvent.Notice notice -> Elections.notice(draft, notice.server());
            case CoordinationEvent.Stop stop -> Elections.stop(draft, stop.server());
            case CoordinationEvent.Start start -> Elections.start(draft, start.server());
            case CoordinationEvent.Elect elect -> Elections.elect(draft, elect);
        }
    }

    /// What network, servers and clients do by themselves, and sessions that may end now: each of these can be the next
    /// event. In a fixed order.
    public static List<CoordinationEvent> enabled(CoordinationState state) {
        List<CoordinationEvent> found = new ArrayList<>();
        state.clients().forEach((number, client) -> {
            if (client.connection() != null) {
                if (!client.connection().inbound().isEmpty()) {
                    found.add(new CoordinationEvent.Receive(number));
                }
                if (Requests.deliverable(state, number, client)) {
                    found.add(new CoordinationEvent.Deliver(number));
                }
            }
        });
        boolean quorum = state.hasQuorum();
        for (int i = 0; i < state.servers().size(); i++) {
            CoordinationState.Server server = state.servers().get(i);
            boolean follows = server.up() && server.serving() && server.linked() && server.epoch() == state.epoch();
            if (quorum && Requests.next(server) >= 0) {
                found.add(new CoordinationEvent.Order(i));
            }
            if (follows && server.applied() < state.logEnd()) {
                found.add(new CoordinationEvent.Apply(i));
            }
            if (follows && quorum && !server.heard().isEmpty()) {
                found.add(new CoordinationEvent.ReportSessions(i));
            }
        }
        if (quorum) {
            state.sessions().values().stream().filter(session -> session.deadlineMs() <= state.nowMs())
                    .forEach(session -> found.add(new CoordinationEvent.Expire(session.id())));
        }
        return found;
    }

    /// Lets everything that is under way arrive, as on a network without delay. Sessions are reported, none is ended.
    public static Step settle(CoordinationState state) {
        CoordinationState at = state;
        List<CoordinationEffect> effects = new ArrayList<>();
        while (true) {
            CoordinationEvent next = enabled(at).stream()
                    .filter(event -> !(event instanceof CoordinationEvent.Expire)).findFirst().orElse(null);
            if (next == null) {
                return new Step(at, effects);
            }
            Step step = step(at, next);
            at = step.state();
            effects.addAll(step.effects());
        }
    }
}
