package io.tombolo.chaos.sim;

import io.tombolo.chaos.coordination.Code;
import io.tombolo.chaos.coordination.CoordinationEffect;
import io.tombolo.chaos.coordination.Reply;
import io.tombolo.chaos.coordination.Request;
import io.tombolo.chaos.coordination.WatchEvent;
import io.tombolo.chaos.coordination.Znode;
import io.tombolo.coordinator.zk.ZkPort;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/// What a process of this world has instead of Curator and ZooKeeper's client: connections to one server after the
/// other, pings, the read time-out, a new session when the old one has ended, requests that are repeated after a lost
/// connection, and the states that Curator's recipes hear of. A process that stands still hears and says nothing.
///
/// Answers and states are told by the ensemble's actor: whoever hears them hands them on, and waits for nothing.
final class SimSession implements ZkPort {
    /// Curator's, as far as anybody here listens.
    enum State {
        /// The connection is lost, the session may live.
        SUSPENDED,
        /// The session is taken for ended.
        LOST,
        /// There is a connection again, perhaps with another session.
        RECONNECTED
    }

    private static final long MS = 1_000_000;
    private static final long TIMEOUT_NS = SimHost.TIMINGS.sessionMs() * MS;
    /// Of ZooKeeper's client: two thirds of the session time-out, and a ping after half of that.
    private static final long READ_NS = TIMEOUT_NS * 2 / 3;
    private static final long PING_NS = READ_NS / 2;
    private static final long TEND_NS = READ_NS / 4;
    /// The client rests when no server has taken it.
    private static final long ROUND_NS = 20 * MS;
    /// Of ZkConnection, at the small base figure of this world.
    private static final int RETRIES = 2;
    private static final long RETRY_NS = 10 * MS;
    private static final long CONNECT_NS = 400 * MS;

    private final World world;
    private final SimProcess process;
    private final Scheduler.Loop loop;
    private final SimEnsemble ensemble;
    private final Map<Long, Consumer<Reply>> asked = new HashMap<>();
    private final Map<String, Consumer<WatchEvent>> watchers = new HashMap<>();
    private final List<Consumer<State>> listeners = new ArrayList<>();
    private int client;
    private int server;
    private int refusals;
    private long xid;
    private boolean connected;
    private boolean connecting;
    private boolean known;
    private long suspendedNs = -1;
    private long heardNs;
    private long sentNs;

    /// @param loop of the process; its timers
    SimSession(World world, SimProcess process, Scheduler.Loop loop, int firstServer) {
        this.world = world;
        this.process = process;
        this.loop = loop;
        this.ensemble = world.ensemble();
        this.server = firstServer;
        this.client = ensemble.newClient(this);
        connect(0);
        loop.schedule(this::tend, TEND_NS);
    }

    SimProcess process() {
        return process;
    }

    Scheduler.Loop loop() {
        return loop;
    }

    int client() {
        return client;
    }

    void listen(Consumer<State> listener) {
        listeners.add(listener);
    }

    // ---- connection

    private void tend() {
        loop.schedule(this::tend, TEND_NS);
        long now = world.scheduler().nowNs();
        if (!connected) {
            if (suspendedNs >= 0 && now - suspendedNs > TIMEOUT_NS) {
                // Curator does not wait for a server to say so.
                ended();
            }
            connect(0);
        } else if (now - heardNs > READ_NS) {
            ensemble.disconnect(client);
        } else if (now - sentNs > PING_NS) {
            send(new Request.Ping(), _ -> {
            });
        }
    }

    private void connect(long afterNs) {
        if (connecting) {
            return;
        }
        connecting = true;
        loop.schedule(() -> {
            connecting = false;
            if (!connected && !ensemble.connected(client)
                    && !process.isCutFromCoordination(world.scheduler().nowNs())) {
                server = (server + 1) % SimEnsemble.SERVERS;
                ensemble.connect(client, server);
            }
        }, afterNs + Network.delay(world.network().rng()));
    }

    /// Something has become of this client.
    void notice(CoordinationEffect effect) {
        if (effect instanceof CoordinationEffect.Answered(_, long number, _, Reply reply)) {
            if (reply.code() != Code.CONNECTIONLOSS) {
                heardNs = world.scheduler().nowNs();
            }
            Consumer<Reply> asker = asked.remove(number);
            if (asker != null) {
                asker.accept(reply);
            }
            return;
        }
        if (effect.client() != client) {
            return;
        }
        switch (effect) {
            case CoordinationEffect.Answered _ -> throw new IllegalStateException("dealt with before");
            case CoordinationEffect.Notified(_, WatchEvent event) -> {
                heardNs = world.scheduler().nowNs();
                Consumer<WatchEvent> watcher = watchers.remove(event.path());
                if (watcher != null) {
                    watcher.accept(event);
                }
            }
            case CoordinationEffect.Refused _ -> connect(++refusals % SimEnsemble.SERVERS == 0 ? ROUND_NS : 0);
            case CoordinationEffect.Session(_, CoordinationEffect.Status status, long id) -> {
                switch (status) {
                    case CONNECTED -> {
                        if (ensemble.connected(client)) {
                            connected(id);
                        }
                    }
                    case DISCONNECTED -> disconnected();
                    case EXPIRED, CLOSED -> {
                        ended();
                        connect(0);
                    }
                }
            }
        }
    }

    private void connected(long id) {
        world.trace(() -> process + ": session " + id + " at server " + server);
        connected = true;
        suspendedNs = -1;
        heardNs = world.scheduler().nowNs();
        if (known) {
            tell(State.RECONNECTED);
        }
        known = true;
    }

    private void disconnected() {
        if (connected) {
            connected = false;
            suspendedNs = world.scheduler().nowNs();
            world.trace(() -> process + ": connection lost");
            tell(State.SUSPENDED);
        }
        connect(0);
    }

    /// The handle is of no use any more; there is a new one.
    private void ended() {
        world.trace(() -> process + ": its session has ended");
        connected = false;
        suspendedNs = -1;
        watchers.clear();
        ensemble.disconnect(client);
        client = ensemble.newClient(this);
        tell(State.LOST);
    }

    private void tell(State state) {
        List.copyOf(listeners).forEach(listener -> listener.accept(state));
    }

    // ---- requests

    /// One request as ZooKeeper's client has it: not repeated.
    void send(Request request, Consumer<Reply> answer) {
        xid++;
        asked.put(xid, answer);
        sentNs = world.scheduler().nowNs();
        ensemble.submit(client, xid, request);
    }

    /// One in Curator's background: sent when there is a connection, and repeated as one in the foreground.
    ///
    void background(Request request, Consumer<Reply> answer) {
        background(request, answer, 0, world.scheduler().nowNs() + CONNECT_NS);
    }

    private void background(Request request, Consumer<Reply> answer, int attempt, long untilNs) {
        if (!connected && world.scheduler().nowNs() < untilNs) {
            loop.schedule(() -> background(request, answer, attempt, untilNs), RETRY_NS / 2);
            return;
        }
        send(request, reply -> {
            if (attempt < RETRIES && repeats(reply.code())) {
                loop.schedule(() -> background(request, answer, attempt + 1,
                        world.scheduler().nowNs() + CONNECT_NS), RETRY_NS);
            } else {
                answer.accept(reply);
            }
        });
    }

    /// Told of the next change at a path.
    void watch(String path, Consumer<WatchEvent> watcher) {
        watchers.put(path, watcher);
    }

    private static boolean repeats(Code code) {
        return code == Code.CONNECTIONLOSS || code == Code.SESSIONEXPIRED || code == Code.SESSIONMOVED;
    }

    /// As Curator in the foreground; on an actor that is not this session's loop.
    private Reply ask(Request request) {
        Scheduler scheduler = world.scheduler();
        long until = scheduler.nowNs() + CONNECT_NS;
        while (!connected && scheduler.nowNs() < until) {
            scheduler.park(RETRY_NS / 2);
        }
        for (int attempt = 0;; attempt++) {
            Reply reply = once(request);
            if (attempt == RETRIES || !repeats(reply.code())) {
                return reply;
            }
            scheduler.sleep(RETRY_NS);
        }
    }

    private Reply once(Request request) {
        Scheduler.Actor me = world.scheduler().current();
        Reply[] answer = new Reply[1];
        send(request, reply -> {
            answer[0] = reply;
            me.wake();
        });
        while (answer[0] == null) {
            world.scheduler().parkForever();
        }
        return answer[0];
    }

    private Reply require(Request request, String path) throws KeeperException {
        Reply reply = ask(request);
        if (reply.code() != Code.OK) {
            throw KeeperException.create(KeeperException.Code.get(reply.code().number()), path);
        }
        return reply;
    }

    static Stat stat(Znode.Stat of) {
        Stat stat = new Stat();
        stat.setCzxid(of.czxid());
        stat.setMzxid(of.mzxid());
        stat.setPzxid(of.pzxid());
        stat.setVersion(of.version());
        stat.setCversion(of.cversion());
        stat.setEphemeralOwner(of.owner());
        stat.setDataLength(of.dataLength());
        stat.setNumChildren(of.numChildren());
        return stat;
    }

    @Override
    public Node read(String path) throws KeeperException {
        Reply reply = require(new Request.GetData(path, false), path);
        return new Node(reply.data(), stat(reply.stat()));
    }

    @Override
    public Stat stat(String path) throws KeeperException {
        Reply reply = ask(new Request.Exists(path, false));
        if (reply.code() == Code.NONODE) {
            return null;
        }
        if (reply.code() != Code.OK) {
            throw KeeperException.create(KeeperException.Code.get(reply.code().number()), path);
        }
        return stat(reply.stat());
    }

    @Override
    public List<String> children(String path) throws KeeperException {
        return require(new Request.GetChildren(path, false), path).children();
    }

    @Override
    public void create(String path, String data, CreateMode mode, boolean parents) throws KeeperException {
        require(new Request.Create(path, data, Request.Mode.valueOf(mode.name())), path);
    }

    @Override
    public Stat setData(String path, String data, int version) throws KeeperException {
        return stat(require(new Request.SetData(path, data, version), path).stat());
    }

    @Override
    public void delete(String path, int version) throws KeeperException {
        require(new Request.Delete(path, version), path);
    }

    @Override
    public void transaction(List<Change> changes) throws KeeperException {
        require(new Request.Multi(changes.stream().filter(world.wiring()::sends).map(SimSession::write).toList()), "");
    }

    private static Request.Write write(Change change) {
        return switch (change) {
            case Change.Check(String path, int version) -> new Request.Check(path, version);
            case Change.Create(String path, String data) ->
                new Request.Create(path, data, Request.Mode.PERSISTENT);
            case Change.SetData(String path, String data, int version) ->
                new Request.SetData(path, data, version);
            case Change.Delete(String path, int version) -> new Request.Delete(path, version);
        };
    }

    @Override
    public void sync(String path) throws KeeperException {
        require(new Request.Sync(path), path);
    }

    @Override
    public long sessionId() {
        return ensemble.session(client);
    }

    /// Its process ends, and with it this.
    @Override
    public void close() {
        ensemble.disconnect(client);
    }
}
