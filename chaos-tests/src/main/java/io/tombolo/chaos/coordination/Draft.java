package io.tombolo.chaos.coordination;

import io.tombolo.chaos.coordination.CoordinationState.Client;
import io.tombolo.chaos.coordination.CoordinationState.Committed;
import io.tombolo.chaos.coordination.CoordinationState.Connection;
import io.tombolo.chaos.coordination.CoordinationState.Server;
import io.tombolo.chaos.coordination.CoordinationState.Session;
import io.tombolo.chaos.coordination.CoordinationState.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/// A state while one event changes it. Lives for one step.
final class Draft {
    final List<CoordinationEffect> effects = new ArrayList<>();
    final List<DraftServer> servers = new ArrayList<>();
    final SortedMap<Long, Session> sessions;
    final SortedMap<Integer, DraftClient> clients = new TreeMap<>();
    final List<Committed> log;
    final int tickMs;
    long nowMs;
    int leader;
    int epoch;
    long lastZxid;
    long nextSession;
    long logStart;
    Znodes head;

    Draft(CoordinationState state) {
        tickMs = state.tickMs();
        nowMs = state.nowMs();
        leader = state.leader();
        epoch = state.epoch();
        lastZxid = state.lastZxid();
        nextSession = state.nextSession();
        logStart = state.logStart();
        head = state.head();
        log = new ArrayList<>(state.log());
        sessions = new TreeMap<>(state.sessions());
        state.servers().forEach(server -> servers.add(new DraftServer(server)));
        state.clients().forEach((number, client) -> clients.put(number, new DraftClient(client)));
    }

    /// Forgets transactions that every server has applied.
    void trim() {
        if (log.isEmpty()) {
            return;
        }
        long all = logEnd();
        for (DraftServer server : servers) {
            all = Math.min(all, server.applied);
        }
        if (all > logStart) {
            log.subList(0, (int) (all - logStart)).clear();
            logStart = all;
        }
    }

    CoordinationState freeze() {
        trim();
        SortedMap<Integer, Client> frozen = new TreeMap<>();
        clients.forEach((number, client) -> frozen.put(number, client.freeze()));
        return new CoordinationState(tickMs, nowMs, leader, epoch, lastZxid, nextSession, logStart, log, head,
                servers.stream().map(DraftServer::freeze).toList(), sessions, frozen);
    }

    long logEnd() {
        return logStart + log.size();
    }

    boolean follows(DraftServer server) {
        return server.up && server.serving && server.linked && server.epoch == epoch;
    }

    boolean hasQuorum() {
        if (leader < 0 || !follows(servers.get(leader))) {
            return false;
        }
        int members = 0;
        for (DraftServer server : servers) {
            members += follows(server) ? 1 : 0;
        }
        return members * 2 > servers.size();
    }

    DraftClient client(int number) {
        DraftClient client = clients.get(number);
        if (client == null) {
            throw new IllegalStateException("no client " + number);
        }
        return client;
    }

    DraftServer server(int number) {
        if (number < 0 || number >= servers.size()) {
            throw new IllegalStateException("no server " + number);
        }
        return servers.get(number);
    }

    /// Commits a transaction; returns its zxid, which the caller asked for by [#nextZxid].
    void commit(Znodes after, List<WatchEvent> changes, long ended) {
        lastZxid = nextZxid();
        log.add(new Committed(lastZxid, after, changes, ended));
        head = after;
    }

    long nextZxid() {
        return lastZxid + 1;
    }

    /// The leader heard of a session.
    void touch(long session) {
        sessions.computeIfPresent(session, (_, was) -> new Session(was.id(), was.client(), was.timeoutMs(),
                deadline(was.timeoutMs()), was.owner()));
    }

    /// As the leader's queue of expiries has it: the next multiple of the tick after the timeout.
    long deadline(int timeoutMs) {
        return ((nowMs + timeoutMs) / tickMs + 1) * tickMs;
    }

    static void require(boolean possible, Supplier<String> what) {
        if (!possible) {
            throw new IllegalStateException(what.get());
        }
    }

    static void require(boolean possible, String what) {
        if (!possible) {
            throw new IllegalStateException(what);
        }
    }

    static final class DraftServer {
        boolean up;
        boolean serving;
        boolean linked;
        int epoch;
        long applied;
        Znodes tree;
        long zxid;
        final List<Waiting> waiting;
        final SortedSet<Long> heard;
        final SortedMap<String, SortedSet<Integer>> dataWatches;
        final SortedMap<String, SortedSet<Integer>> childWatches;

        DraftServer(Server was) {
            up = was.up();
            serving = was.serving();
            linked = was.linked();
            epoch = was.epoch();
            applied = was.applied();
            tree = was.tree();
            zxid = was.zxid();
            waiting = new ArrayList<>(was.waiting());
            heard = new TreeSet<>(was.heard());
            dataWatches = copy(was.dataWatches());
            childWatches = copy(was.childWatches());
        }

        private static SortedMap<String, SortedSet<Integer>> copy(SortedMap<String, SortedSet<Integer>> map) {
            SortedMap<String, SortedSet<Integer>> copy = new TreeMap<>();
            map.forEach((path, clients) -> copy.put(path, new TreeSet<>(clients)));
            return copy;
        }

        Server freeze() {
            return new Server(up, serving, linked, epoch, applied, tree, zxid, waiting, heard, dataWatches,
                    childWatches);
        }

        void forgetWatchesOf(int client) {
            for (SortedMap<String, SortedSet<Integer>> watches : List.of(dataWatches, childWatches)) {
                watches.values().forEach(clients -> clients.remove(client));
                watches.values().removeIf(watchers -> watchers.isEmpty());
            }
        }
    }

    static final class DraftClient {
        long session;
        int timeoutMs;
        long zxid;
        long connections;
        Connection connection;
        final SortedMap<Long, Request> outstanding;
        final SortedSet<String> dataWatches;
        final SortedSet<String> existWatches;
        final SortedSet<String> childWatches;

        DraftClient(Client was) {
            session = was.session();
            timeoutMs = was.timeoutMs();
            zxid = was.zxid();
            connections = was.connections();
            connection = was.connection();
            outstanding = new TreeMap<>(was.outstanding());
            dataWatches = new TreeSet<>(was.dataWatches());
            existWatches = new TreeSet<>(was.existWatches());
            childWatches = new TreeSet<>(was.childWatches());
        }

        Client freeze() {
            return new Client(session, timeoutMs, zxid, connections, connection, outstanding, dataWatches,
                    existWatches, childWatches);
        }
    }
}
