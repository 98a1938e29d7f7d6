package io.tombolo.chaos.coordination;

import io.tombolo.chaos.coordination.CoordinationState.Client;
import io.tombolo.chaos.coordination.CoordinationState.Committed;
import io.tombolo.chaos.coordination.CoordinationState.Message;
import io.tombolo.chaos.coordination.CoordinationState.Sent;
import io.tombolo.chaos.coordination.CoordinationState.Server;
import io.tombolo.chaos.coordination.CoordinationState.Session;
import io.tombolo.chaos.coordination.CoordinationState.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/// The way of a request: to a server, to the leader, into every server's tree, and back.
final class Requests {
    private Requests() {
    }

    /// A read waits for the session's requests that are at the leader.
    static boolean deliverable(CoordinationState state, int number, Client client) {
        if (client.connection().outbound().isEmpty()) {
            return false;
        }
        Server server = state.servers().get(client.connection().server());
        return server.up() && server.serving() && (client.connection().outbound().getFirst().request().goesToLeader()
                || server.waiting().stream().noneMatch(waiting -> waiting.client() == number));
    }

    /// Index of the request that the leader would order next, -1 when there is none.
    static int next(Server server) {
        return next(server.waiting());
    }

    static int next(List<Waiting> waiting) {
        for (int i = 0; i < waiting.size(); i++) {
            if (waiting.get(i).due() < 0) {
                return waiting.get(i).stuck() ? -1 : i;
            }
        }
        return -1;
    }

    static void deliver(Draft draft, int number) {
        Draft.DraftClient client = draft.client(number);
        Draft.require(client.connection != null && !client.connection.outbound().isEmpty(),
                () -> "nothing of client " + number);
        Draft.DraftServer server = draft.servers.get(client.connection.server());
        Sent sent = client.connection.outbound().getFirst();
        client.connection = client.connection.delivered();
        if (client.session != 0) {
            if (client.connection.server() == draft.leader && draft.follows(server)) {
                draft.touch(client.session);
            } else {
                server.heard.add(client.session);
            }
        }
        if (sent.request().goesToLeader()) {
            server.waiting.add(new Waiting(number, client.connection.number(), client.session, sent.xid(),
                    sent.request(), !server.linked || server.epoch != draft.epoch, -1, 0, null));
            return;
        }
        Draft.require(server.waiting.stream().noneMatch(waiting -> waiting.client() == number),
                () -> "client " + number + " has a request at the leader");
        if (sent.request() instanceof Request.SetWatches set) {
            setWatches(client, number, server, set);
        }
        client.connection = client.connection.withInbound(
                new Message.Answer(sent.xid(), sent.request(), read(server, number, sent.request()), server.zxid));
    }

    private static Reply read(Draft.DraftServer server, int client, Request request) {
        return switch (request) {
            case Request.Exists exists -> {
                Znode node = server.tree.at(exists.path());
                watchIf(exists.watch(), server.dataWatches, exists.path(), client);
                yield node == null ? Reply.of(Code.NONODE) : Reply.node(null, node.stat());
            }
            case Request.GetData get -> {
                Znode node = server.tree.at(get.path());
                watchIf(get.watch() && node != null, server.dataWatches, get.path(), client);
                yield node == null ? Reply.of(Code.NONODE) : Reply.node(node.data(), node.stat());
            }
            case Request.GetChildren get -> {
                Znode node = server.tree.at(get.path());
                watchIf(get.watch() && node != null, server.childWatches, get.path(), client);
                yield node == null ? Reply.of(Code.NONODE) : Reply.children(List.copyOf(node.children()));
            }
            case Request.Ping _,Request.SetWatches _ -> Reply.of(Code.OK);
            case Request.Write _,Request.Multi _,Request.Sync _,Request.Close _,Request.Open _ ->
                throw new IllegalStateException("not a read: " + request);
        };
    }

    private static void watchIf(boolean wanted, SortedMap<String, SortedSet<Integer>> watches, String path,
            int client) {
        if (wanted) {
            watches.computeIfAbsent(path, _ -> new TreeSet<>()).add(client);
        }
    }

    /// The watches of an earlier connection: what changed since the client last heard fires at once.
    private static void setWatches(Draft.DraftClient client, int number, Draft.DraftServer server,
            Request.SetWatches set) {
        List<WatchEvent> fired = new ArrayList<>();
        for (String path : set.data()) {
            Znode node = server.tree.at(path);
            if (node == null) {
                fired.add(new WatchEvent(WatchEvent.Type.NODE_DELETED, path));
            } else if (node.mzxid() > set.zxid()) {
                fired.add(new WatchEvent(WatchEvent.Type.NODE_DATA_CHANGED, path));
            } else {
                watchIf(true, server.dataWatches, path, number);
            }
        }
        for (String path : set.exist()) {
            if (server.tree.at(path) != null) {
                fired.add(new WatchEvent(WatchEvent.Type.NODE_CREATED, path));
            } else {
                watchIf(true, server.dataWatches, path, number);
            }
        }
        for (String path : set.children()) {
            Znode node = server.tree.at(path);
            if (node == null) {
                fired.add(new WatchEvent(WatchEvent.Type.NODE_DELETED, path));
            } else if (node.pzxid() > set.zxid()) {
                fired.add(new WatchEvent(WatchEvent.Type.NODE_CHILDREN_CHANGED, path));
            } else {
                watchIf(true, server.childWatches, path, number);
            }
        }
        fired.forEach(event -> client.connection = client.connection.withInbound(new Message.Fired(event)));
    }

    static void order(Draft draft, int number) {
        Draft.require(draft.hasQuorum(), "no leader can commit");
        orderAnyway(draft, number);
    }

    /// Also what a leader committed at its end.
    static void orderAnyway(Draft draft, int number) {
        Draft.DraftServer server = draft.server(number);
        int index = next(server.waiting);
        Draft.require(index >= 0, () -> "server " + number + " has forwarded nothing");
        Waiting waiting = server.waiting.get(index);
        if (waiting.request() instanceof Request.Sync) {
            Session own = draft.sessions.get(waiting.session());
            Code code = own == null ? Code.SESSIONEXPIRED : Code.OK;
            server.waiting.set(index, waiting.ordered(draft.logEnd(), 0, Reply.of(code)));
            answerDue(draft, number);
            return;
        }
        long zxid = draft.nextZxid();
        Reply reply = commit(draft, number, waiting, zxid);
        server.waiting.set(index, waiting.ordered(draft.logEnd(), zxid, reply));
    }

    private static Reply commit(Draft draft, int server, Waiting waiting, long zxid) {
        if (waiting.request() instanceof Request.Open open) {
            long id = draft.nextSession++;
            draft.sessions.put(id, new Session(id, waiting.client(), open.timeoutMs(),
                    draft.deadline(open.timeoutMs()), server));
            draft.commit(draft.head, List.of(), 0);
            return Reply.opened(id);
        }
        Session own = draft.sessions.get(waiting.session());
        if (own == null || own.owner() != server) {
            draft.commit(draft.head, List.of(), 0);
            return Reply.of(own == null ? Code.SESSIONEXPIRED : Code.SESSIONMOVED);
        }
        Prepared prepared = switch (waiting.request()) {
            case Request.Write write -> Prepared.write(draft.head, write, own.id(), zxid);
            case Request.Multi multi -> Prepared.multi(draft.head, multi, own.id(), zxid);
            case Request.Close _ -> Prepared.close(draft.head, own.id(), zxid);
            case Request other -> throw new IllegalStateException("not a write: " + other);
        };
        boolean ends = waiting.request() instanceof Request.Close;
        if (ends) {
            draft.sessions.remove(own.id());
        }
        draft.commit(prepared.after(), prepared.changes(), ends ? own.id() : 0);
        return prepared.reply();
    }

    static void apply(Draft draft, int number) {
        Draft.DraftServer server = draft.server(number);
        Draft.require(draft.follows(server) && server.applied < draft.logEnd(), () -> "nothing to apply at " + number);
        Committed next = draft.log.get((int) (server.applied - draft.logStart));
        server.applied++;
        server.tree = next.after();
        server.zxid = next.zxid();
        for (WatchEvent change : next.changes()) {
            fire(draft, server, change);
        }
        answerDue(draft, number);
        if (next.ended() != 0) {
            dropEnded(draft, number, next.ended());
        }
    }

    /// The server closes the connection of a session that ended, unless its client asked for that and is being told.
    private static void dropEnded(Draft draft, int server, long session) {
        draft.clients.forEach((number, client) -> {
            boolean here = client.session == session && client.connection != null
                    && client.connection.server() == server;
            if (here && client.outstanding.values().stream().noneMatch(Request.Close.class::isInstance)) {
                Connections.drop(draft, number);
            }
        });
    }

    private static void fire(Draft draft, Draft.DraftServer server, WatchEvent change) {
        SortedSet<Integer> told = new TreeSet<>();
        if (change.type() == WatchEvent.Type.NODE_CHILDREN_CHANGED) {
            throw new IllegalStateException("follows from a child's change: " + change);
        }
        SortedSet<Integer> ofData = server.dataWatches.remove(change.path());
        if (ofData != null) {
            told.addAll(ofData);
        }
        if (change.type() == WatchEvent.Type.NODE_DATA_CHANGED) {
            tell(draft, told, change);
            return;
        }
        if (change.type() == WatchEvent.Type.NODE_DELETED) {
            SortedSet<Integer> ofChildren = server.childWatches.remove(change.path());
            if (ofChildren != null) {
                told.addAll(ofChildren);
            }
        }
        tell(draft, told, change);
        String parent = Znodes.parent(change.path());
        SortedSet<Integer> ofParent = server.childWatches.remove(parent);
        if (ofParent != null) {
            tell(draft, ofParent, new WatchEvent(WatchEvent.Type.NODE_CHILDREN_CHANGED, parent));
        }
    }

    private static void tell(Draft draft, SortedSet<Integer> clients, WatchEvent event) {
        for (int number : clients) {
            Draft.DraftClient client = draft.client(number);
            client.connection = client.connection.withInbound(new Message.Fired(event));
        }
    }

    /// Answers what waits for no more than has been applied. Answers to a lost connection are lost.
    private static void answerDue(Draft draft, int number) {
        Draft.DraftServer server = draft.servers.get(number);
        for (int i = 0; i < server.waiting.size();) {
            Waiting waiting = server.waiting.get(i);
            if (waiting.due() < 0 || waiting.due() > server.applied) {
                i++;
                continue;
            }
            server.waiting.remove(i);
            Draft.DraftClient client = draft.client(waiting.client());
            if (client.connection != null && client.connection.number() == waiting.connection()) {
                long zxid = waiting.zxid() == 0 ? server.zxid : waiting.zxid();
                client.connection = client.connection.withInbound(
                        new Message.Answer(waiting.xid(), waiting.request(), waiting.reply(), zxid));
            }
        }
    }
}
