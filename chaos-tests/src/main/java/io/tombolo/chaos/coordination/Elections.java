package io.tombolo.chaos.coordination;

import io.tombolo.chaos.coordination.CoordinationState.Session;
import io.tombolo.chaos.coordination.CoordinationState.Waiting;
import java.util.List;

/// Servers, their leader, and the sessions as the leader knows them.
final class Elections {
    private Elections() {
    }

    static void report(Draft draft, int number) {
        Draft.DraftServer server = draft.server(number);
        Draft.require(draft.follows(server) && draft.hasQuorum(), () -> "server " + number + " has no leader");
        server.heard.forEach(draft::touch);
        server.heard.clear();
    }

    static void expire(Draft draft, long id) {
        Session session = draft.sessions.get(id);
        Draft.require(draft.hasQuorum() && session != null && session.deadlineMs() <= draft.nowMs,
                () -> "session " + id + " cannot end now");
        end(draft, id);
    }

    static void end(Draft draft, long id) {
        draft.sessions.remove(id);
        Prepared prepared = Prepared.close(draft.head, id, draft.nextZxid());
        draft.commit(prepared.after(), prepared.changes(), id);
    }

    static void cutOff(Draft draft, int number) {
        Draft.require(draft.server(number).linked, () -> "server " + number + " is cut off");
        draft.server(number).linked = false;
    }

    static void rejoin(Draft draft, int number) {
        Draft.DraftServer server = draft.server(number);
        Draft.require(server.up && !draft.follows(server), () -> "server " + number + " cannot rejoin");
        if (server.serving) {
            Draft.require(server.epoch == draft.epoch, () -> "server " + number + " follows another leader");
            server.linked = true;
            server.waiting.replaceAll(waiting -> waiting.due() < 0 ? waiting.unstuck() : waiting);
            return;
        }
        Draft.require(draft.hasQuorum(), "there is no leader to join");
        join(draft, server);
    }

    private static void join(Draft draft, Draft.DraftServer server) {
        server.serving = true;
        server.linked = true;
        server.epoch = draft.epoch;
        server.applied = draft.logEnd();
        server.tree = draft.head;
        server.zxid = draft.lastZxid;
        server.waiting.clear();
        server.heard.clear();
    }

    static void notice(Draft draft, int number) {
        Draft.DraftServer server = draft.server(number);
        Draft.require(server.up && server.serving && !(draft.follows(server) && draft.hasQuorum()),
                () -> "server " + number + " has a leader");
        stopServing(draft, number);
    }

    /// Requests that were forwarded may have reached the leader: they stay until the server joins a leader.
    private static void stopServing(Draft draft, int number) {
        Draft.DraftServer server = draft.servers.get(number);
        server.serving = false;
        server.linked = false;
        server.heard.clear();
        server.waiting.removeIf(waiting -> waiting.due() >= 0);
        List<Integer> connected = draft.clients.entrySet().stream()
                .filter(client -> client.getValue().connection != null
                        && client.getValue().connection.server() == number)
                .map(java.util.Map.Entry::getKey).toList();
        connected.forEach(client -> Connections.drop(draft, client));
    }

    static void stop(Draft draft, int number) {
        Draft.require(draft.server(number).up, () -> "server " + number + " does not run");
        stopServing(draft, number);
        draft.servers.get(number).up = false;
    }

    static void start(Draft draft, int number) {
        Draft.require(!draft.server(number).up, () -> "server " + number + " runs");
        draft.servers.get(number).up = true;
    }

    static void elect(Draft draft, CoordinationEvent.Elect elect) {
        Draft.require(elect.members().contains(elect.leader()) && elect.members().size() * 2 > draft.servers.size()
                && elect.members().stream().allMatch(member -> draft.server(member).up),
                () -> "no majority: " + elect);
        for (int server : elect.survivors()) {
            Requests.orderAnyway(draft, server);
        }
        for (int number = 0; number < draft.servers.size(); number++) {
            if (elect.members().contains(number)) {
                stopServing(draft, number);
            } else {
                draft.servers.get(number).linked = false;
                draft.servers.get(number).waiting.replaceAll(Elections::stuck);
            }
        }
        draft.leader = elect.leader();
        draft.epoch++;
        draft.lastZxid = Coordination.zxid(draft.epoch, 0);
        elect.members().forEach(member -> join(draft, draft.servers.get(member)));
        draft.sessions.replaceAll((_, was) -> new Session(was.id(), was.client(), was.timeoutMs(),
                draft.deadline(was.timeoutMs()), -1));
    }

    /// Whatever was on its way to the old leader never reaches the new one.
    private static Waiting stuck(Waiting waiting) {
        return waiting.due() >= 0
                ? waiting
                : new Waiting(waiting.client(), waiting.connection(), waiting.session(), waiting.xid(),
                        waiting.request(), true, -1, 0, null);
    }
}
