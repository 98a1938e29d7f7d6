package io.tombolo.chaos.coordination;

import io.tombolo.chaos.coordination.CoordinationState.Connection;
import io.tombolo.chaos.coordination.CoordinationState.Message;
import io.tombolo.chaos.coordination.CoordinationState.Sent;
import io.tombolo.chaos.coordination.CoordinationState.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.Set;

/// Clients and their connections.
final class Connections {
    /// Numbers of what a client sends by itself.
    static final long OPEN_XID = 0;
    static final long SET_WATCHES_XID = -8;

    private Connections() {
    }

    static void connect(Draft draft, CoordinationEvent.Connect connect) {
        Draft.DraftClient client = draft.client(connect.client());
        Draft.DraftServer server = draft.server(connect.server());
        Draft.require(client.connection == null, () -> "client " + connect.client() + " is connected");
        CoordinationEffect.Refusal refusal = refusal(draft, client, server);
        if (refusal != null) {
            draft.effects.add(new CoordinationEffect.Refused(connect.client(), connect.server(), refusal));
            return;
        }
        if (client.session != 0 && !draft.sessions.containsKey(client.session)) {
            end(draft, connect.client(), CoordinationEffect.Status.EXPIRED);
            return;
        }
        List<Sent> first = new ArrayList<>();
        if (client.session == 0) {
            client.timeoutMs = Math.clamp(connect.timeoutMs(), 2 * draft.tickMs, 20 * draft.tickMs);
            first.add(new Sent(OPEN_XID, new Request.Open(client.timeoutMs)));
        } else {
            draft.touch(client.session);
            Session own = draft.sessions.get(client.session);
            draft.sessions.put(own.id(),
                    new Session(own.id(), own.client(), own.timeoutMs(), own.deadlineMs(), connect.server()));
            if (!(client.dataWatches.isEmpty() && client.existWatches.isEmpty() && client.childWatches.isEmpty())) {
                first.add(new Sent(SET_WATCHES_XID,
                        new Request.SetWatches(client.zxid, new TreeSet<>(client.dataWatches),
                                new TreeSet<>(client.existWatches), new TreeSet<>(client.childWatches))));
            }
            draft.effects.add(new CoordinationEffect.Session(connect.client(), CoordinationEffect.Status.CONNECTED,
                    client.session));
        }
        client.connections++;
        client.connection = new Connection(connect.server(), client.connections, first, List.of());
    }

    private static CoordinationEffect.Refusal refusal(Draft draft, Draft.DraftClient client,
            Draft.DraftServer server) {
        if (!server.up || !server.serving) {
            return CoordinationEffect.Refusal.NOT_SERVING;
        }
        if (server.zxid < client.zxid) {
            return CoordinationEffect.Refusal.BEHIND_CLIENT;
        }
        boolean canAsk = draft.follows(server) && draft.hasQuorum();
        return client.session != 0 && !canAsk ? CoordinationEffect.Refusal.NO_LEADER : null;
    }

    static void submit(Draft draft, CoordinationEvent.Submit submit) {
        Draft.DraftClient client = draft.client(submit.client());
        Draft.require(submit.xid() > 0 && !client.outstanding.containsKey(submit.xid()),
                () -> "number in use or not positive: " + submit.xid());
        Draft.require(!(submit.request() instanceof Request.Open || submit.request() instanceof Request.SetWatches
                || submit.request() instanceof Request.Check), () -> "not a client's to send: " + submit.request());
        Draft.require(client.outstanding.values().stream().noneMatch(Request.Close.class::isInstance),
                () -> "client " + submit.client() + " is closing");
        if (client.connection == null || client.session == 0) {
            draft.effects.add(new CoordinationEffect.Answered(submit.client(), submit.xid(), submit.request(),
                    Reply.of(Code.CONNECTIONLOSS)));
            return;
        }
        client.outstanding.put(submit.xid(), submit.request());
        client.connection = client.connection.withOutbound(new Sent(submit.xid(), submit.request()));
    }

    static void disconnect(Draft draft, int number) {
        Draft.require(draft.client(number).connection != null, () -> "client " + number + " is not connected");
        drop(draft, number);
    }

    /// Both directions are lost.
    static void drop(Draft draft, int number) {
        Draft.DraftClient client = draft.client(number);
        draft.servers.get(client.connection.server()).forgetWatchesOf(number);
        client.connection = null;
        client.outstanding.forEach((xid, request) -> draft.effects
                .add(new CoordinationEffect.Answered(number, xid, request, Reply.of(Code.CONNECTIONLOSS))));
        client.outstanding.clear();
        draft.effects.add(
                new CoordinationEffect.Session(number, CoordinationEffect.Status.DISCONNECTED, client.session));
    }

    private static void end(Draft draft, int number, CoordinationEffect.Status status) {
        Draft.DraftClient client = draft.client(number);
        draft.effects.add(new CoordinationEffect.Session(number, status, client.session));
        client.session = 0;
        client.zxid = 0;
        client.dataWatches.clear();
        client.existWatches.clear();
        client.childWatches.clear();
    }

    static void receive(Draft draft, int number) {
        Draft.DraftClient client = draft.client(number);
        Draft.require(client.connection != null && !client.connection.inbound().isEmpty(),
                () -> "nothing for client " + number);
        Message message = client.connection.inbound().getFirst();
        client.connection = client.connection.received();
        switch (message) {
            case Message.Answer answer -> answered(draft, number, client, answer);
            case Message.Fired fired -> {
                if (forget(client, fired.event())) {
                    draft.effects.add(new CoordinationEffect.Notified(number, fired.event()));
                }
            }
        }
    }

    private static void answered(Draft draft, int number, Draft.DraftClient client, Message.Answer answer) {
        if (!(answer.request() instanceof Request.Ping)) {
            // The client does not look at the number in the answer to a ping, nor at that of an event.
            client.zxid = Math.max(client.zxid, answer.zxid());
        }
        client.outstanding.remove(answer.xid());
        switch (answer.request()) {
            case Request.Open _ -> {
                client.session = answer.reply().session();
                draft.effects.add(new CoordinationEffect.Session(number, CoordinationEffect.Status.CONNECTED,
                        client.session));
                return;
            }
            case Request.SetWatches _ -> {
                return;
            }
            case Request.Exists exists -> {
                if (exists.watch()) {
                    (answer.reply().code() == Code.OK ? client.dataWatches : client.existWatches).add(exists.path());
                }
            }
            case Request.GetData get -> addIf(get.watch() && answer.reply().code() == Code.OK, client.dataWatches,
                    get.path());
            case Request.GetChildren get -> addIf(get.watch() && answer.reply().code() == Code.OK,
                    client.childWatches, get.path());
            case Request.Write _,Request.Multi _,Request.Sync _,Request.Ping _,Request.Close _ -> {
            }
        }
        draft.effects.add(
                new CoordinationEffect.Answered(number, answer.xid(), answer.request(), answer.reply()));
        if (answer.request() instanceof Request.Close && answer.reply().code() == Code.OK) {
            drop(draft, number);
            end(draft, number, CoordinationEffect.Status.CLOSED);
        }
    }

    private static void addIf(boolean wanted, SortedSet<String> paths, String path) {
        if (wanted) {
            paths.add(path);
        }
    }

    @SafeVarargs
    private static boolean forget(String path, Set<String>... watches) {
        boolean had = false;
        for (Set<String> kind : watches) {
            had |= kind.remove(path);
        }
        return had;
    }

    /// Whether the client had a watch for it.
    private static boolean forget(Draft.DraftClient client, WatchEvent event) {
        return switch (event.type()) {
            case NODE_CREATED, NODE_DATA_CHANGED -> forget(event.path(), client.dataWatches, client.existWatches);
            case NODE_CHILDREN_CHANGED -> client.childWatches.remove(event.path());
            case NODE_DELETED -> forget(event.path(), client.dataWatches, client.existWatches, client.childWatches);
        };
    }
}
