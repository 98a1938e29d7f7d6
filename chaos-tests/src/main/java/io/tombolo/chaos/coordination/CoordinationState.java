package io.tombolo.chaos.coordination;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// An ensemble and its clients, a value: compared and hashed by content.
///
/// @param tickMs sessions are granted 2 to 20 of them and end at a multiple
/// @param nowMs virtual time
/// @param leader server that leads or led last, -1 before the first election
/// @param epoch of that leader
/// @param lastZxid of the newest transaction
/// @param nextSession id of the next session
/// @param logStart transactions that every server has applied and that are not kept
/// @param log transactions that some server has not applied, oldest first
/// @param head the tree after the newest transaction
/// @param servers by number, from 0
/// @param sessions by id, as the leader knows them
/// @param clients by number
public record CoordinationState(int tickMs, long nowMs, int leader, int epoch, long lastZxid, long nextSession,
        long logStart, List<Committed> log, Znodes head, List<Server> servers, SortedMap<Long, Session> sessions,
        SortedMap<Integer, Client> clients) {
    public CoordinationState {
        log = List.copyOf(log);
        servers = List.copyOf(servers);
        sessions = Collections.unmodifiableSortedMap(new TreeMap<>(sessions));
        clients = Collections.unmodifiableSortedMap(new TreeMap<>(clients));
    }

    /// One transaction, failed ones and those of sessions included.
    ///
    /// @param changes what it changed, in order
    /// @param ended session that it ended, else 0
    public record Committed(long zxid, Znodes after, List<WatchEvent> changes, long ended) {
        public Committed {
            changes = List.copyOf(changes);
        }
    }

    /// A session at the leader.
    ///
    /// @param deadlineMs it may be ended from then on
    /// @param owner server whose connection may use it, -1 when nobody has since the election
    public record Session(long id, int client, int timeoutMs, long deadlineMs, int owner) {
    }

    /// One server.
    ///
    /// @param up the process runs
    /// @param serving it answers clients
    /// @param linked it reaches the leader, the leader: its followers
    /// @param epoch of the leader that it follows
    /// @param applied number of transactions applied
    /// @param tree after the last of them
    /// @param zxid of the last of them
    /// @param waiting requests that went to the leader and are not answered, oldest first
    /// @param heard sessions it heard from and has not reported
    /// @param dataWatches clients by path: of data and of existence
    /// @param childWatches clients by path
    public record Server(boolean up, boolean serving, boolean linked, int epoch, long applied, Znodes tree, long zxid,
            List<Waiting> waiting, SortedSet<Long> heard, SortedMap<String, SortedSet<Integer>> dataWatches,
            SortedMap<String, SortedSet<Integer>> childWatches) {
        public Server {
            waiting = List.copyOf(waiting);
            heard = frozen(heard);
            dataWatches = frozen(dataWatches);
            childWatches = frozen(childWatches);
        }
    }

    /// A request that went to the leader.
    ///
    /// @param connection number of the client's connection that it came by
    /// @param stuck it was sent when the server did not reach the leader
    /// @param due the answer may leave when so many transactions are applied; -1 before the leader ordered it
    /// @param zxid of its transaction, 0 of a sync
    /// @param reply the answer, null before the leader ordered it
    public record Waiting(int client, long connection, long session, long xid, Request request, boolean stuck, long due,
            long zxid, Reply reply) {
        Waiting ordered(long newDue, long newZxid, Reply newReply) {
            return new Waiting(client, connection, session, xid, request, stuck, newDue, newZxid, newReply);
        }

        Waiting unstuck() {
            return new Waiting(client, connection, session, xid, request, false, due, zxid, reply);
        }
    }

    /// One client.
    ///
    /// @param session 0 before it was opened and after it ended
    /// @param zxid greatest of an answer
    /// @param connections how many there were
    /// @param connection the present one, null when there is none
    /// @param outstanding requests without an answer, by the number that the caller gave
    /// @param dataWatches paths, as the client believes
    /// @param existWatches paths
    /// @param childWatches paths
    public record Client(long session, int timeoutMs, long zxid, long connections, Connection connection,
            SortedMap<Long, Request> outstanding, SortedSet<String> dataWatches, SortedSet<String> existWatches,
            SortedSet<String> childWatches) {
        static final Client NEW = new Client(0, 0, 0, 0, null, new TreeMap<>(), new TreeSet<>(), new TreeSet<>(),
                new TreeSet<>());

        public Client {
            outstanding = Collections.unmodifiableSortedMap(new TreeMap<>(outstanding));
            dataWatches = frozen(dataWatches);
            existWatches = frozen(existWatches);
            childWatches = frozen(childWatches);
        }
    }

    /// A client's connection.
    ///
    /// @param outbound requests on their way to the server
    /// @param inbound answers and events on their way to the client
    public record Connection(int server, long number, List<Sent> outbound, List<Message> inbound) {
        public Connection {
            outbound = List.copyOf(outbound);
            inbound = List.copyOf(inbound);
        }

        Connection withOutbound(Sent sent) {
            List<Sent> more = new ArrayList<>(outbound);
            more.add(sent);
            return new Connection(server, number, more, inbound);
        }

        Connection withInbound(Message message) {
            List<Message> more = new ArrayList<>(inbound);
            more.add(message);
            return new Connection(server, number, outbound, more);
        }

        Connection delivered() {
            return new Connection(server, number, outbound.subList(1, outbound.size()), inbound);
        }

        Connection received() {
            return new Connection(server, number, outbound, inbound.subList(1, inbound.size()));
        }
    }

    /// A request on its way.
    public record Sent(long xid, Request request) {
    }

    /// What a server says to a client.
    public sealed interface Message {
        /// The answer to a request; `zxid` is the server's at that time.
        record Answer(long xid, Request request, Reply reply, long zxid) implements Message {
        }

        /// A watch fired.
        record Fired(WatchEvent event) implements Message {
        }
    }

    private static <T> SortedSet<T> frozen(SortedSet<T> set) {
        return Collections.unmodifiableSortedSet(new TreeSet<>(set));
    }

    private static SortedMap<String, SortedSet<Integer>> frozen(SortedMap<String, SortedSet<Integer>> map) {
        TreeMap<String, SortedSet<Integer>> copy = new TreeMap<>();
        map.forEach((path, clients) -> copy.put(path, frozen(clients)));
        return Collections.unmodifiableSortedMap(copy);
    }

    /// Transactions committed so far.
    public long logEnd() {
        return logStart + log.size();
    }

    /// Whether the leader can commit: it runs and a majority, itself included, is linked in its epoch.
    public boolean hasQuorum() {
        if (leader < 0 || !isMember(servers.get(leader))) {
            return false;
        }
        return servers.stream().filter(this::isMember).count() * 2 > servers.size();
    }

    private boolean isMember(Server server) {
        return server.up() && server.serving() && server.linked() && server.epoch() == epoch;
    }
}
