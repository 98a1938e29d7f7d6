package io.tombolo.chaos.sim;

import io.tombolo.chaos.coordination.Coordination;
import io.tombolo.chaos.coordination.CoordinationEffect;
import io.tombolo.chaos.coordination.CoordinationEvent;
import io.tombolo.chaos.coordination.CoordinationState;
import io.tombolo.chaos.coordination.LiveCoordination;
import io.tombolo.chaos.coordination.Request;
import io.tombolo.chaos.coordination.Znode;
import io.tombolo.chaos.coordination.Znodes;
import io.tombolo.coordinator.zk.ZkPaths;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/// The coordination service of a world: the simulated ensemble of docs/coordination-model.md. That says what can happen
/// next; here is drawn when it happens. Of each queue (a client's requests, its answers, a server's requests at the
/// leader, its transactions) one element is under way at a time, so that nothing overtakes what it cannot overtake.
final class SimEnsemble {
    static final int SERVERS = 3;
    static final ZkPaths PATHS = new ZkPaths("/sim");
    private static final long MS = 1_000_000;
    private static final int TICK_MS = SimHost.TIMINGS.zooKeeperTickMs();
    private static final CoordinationState START = tree();

    private final World world;
    private final Rng rng;
    private final Scheduler.Loop loop;
    private final LiveCoordination live = new LiveCoordination(START);
    private final boolean[] ordering = new boolean[SERVERS];
    private final boolean[] applying = new boolean[SERVERS];
    private final List<Wire> wires = new ArrayList<>();
    private final int firstClient;

    /// A client's way to its server and back.
    private static final class Wire {
        private final SimSession session;
        private boolean delivering;
        private boolean receiving;

        private Wire(SimSession session) {
            this.session = session;
        }
    }

    SimEnsemble(World world, Rng rng, SimProcess physics) {
        this.world = world;
        this.rng = rng;
        this.loop = world.scheduler().new Loop(physics, "ensemble");
        this.firstClient = START.clients().size();
        loop.schedule(this::tick, TICK_MS * MS / 2);
    }

    /// As the first process of a cluster leaves it.
    private static CoordinationState tree() {
        CoordinationState state = Coordination.start(SERVERS, 1, TICK_MS);
        state = then(state, new CoordinationEvent.Connect(0, 0, 4 * TICK_MS));
        long xid = 0;
        for (String path : List.of(PATHS.root(), PATHS.cluster(), PATHS.term(), PATHS.leaderLatch(), PATHS.hosts(),
                PATHS.vms(), PATHS.intents())) {
            state = then(state, new CoordinationEvent.Submit(0, ++xid,
                    new Request.Create(path, "", Request.Mode.PERSISTENT)));
        }
        return then(state, new CoordinationEvent.Submit(0, ++xid, new Request.Close()));
    }

    private static CoordinationState then(CoordinationState state, CoordinationEvent event) {
        return Coordination.settle(Coordination.step(state, event).state()).state();
    }

    // ---- clients

    int newClient(SimSession session) {
        wires.add(new Wire(session));
        return live.newClient();
    }

    private Wire wire(int client) {
        return wires.get(client - firstClient);
    }

    void connect(int client, int server) {
        step(new CoordinationEvent.Connect(client, server, 4 * TICK_MS));
    }

    void disconnect(int client) {
        if (connected(client)) {
            step(new CoordinationEvent.Disconnect(client));
        }
    }

    boolean connected(int client) {
        return live.connection(client) != null;
    }

    long session(int client) {
        return live.session(client);
    }

    void submit(int client, long xid, Request request) {
        step(new CoordinationEvent.Submit(client, xid, request));
    }

    /// The session ends now, whatever its owner does.
    void endSession(int client) {
        long session = live.session(client);
        if (session != 0 && live.hasQuorum()) {
            world.trace(() -> "session " + session + " is ended by somebody");
            live.endSession(session);
            goOn();
        }
    }

    // ---- the tree, for who knows everything

    /// The node as of the newest transaction; null when there is none.
    Znode node(String path) {
        return live.head().at(path);
    }

    // ---- what happens next

    private void step(CoordinationEvent event) {
        long ms = world.scheduler().nowNs() / MS - live.nowMs();
        if (ms > 0) {
            live.step(new CoordinationEvent.Advance(ms));
        }
        for (CoordinationEffect effect : live.step(event)) {
            if (effect.client() >= firstClient) {
                tell(wire(effect.client()).session, effect);
            }
        }
        goOn();
    }

    private void goOn() {
        for (int i = 0; i < SERVERS; i++) {
            int server = i;
            if (!ordering[i] && live.canOrder(i)) {
                ordering[i] = true;
                loop.schedule(() -> {
                    ordering[server] = false;
                    order(server);
                }, rng.between(2_000, 50_000));
            }
            if (!applying[i] && live.canApply(i)) {
                applying[i] = true;
                loop.schedule(() -> {
                    applying[server] = false;
                    stepIf(live.canApply(server), new CoordinationEvent.Apply(server));
                }, rng.oneIn(20) ? rng.between(500_000, 10 * MS) : rng.between(2_000, 60_000));
            }
        }
        for (int i = 0; i < wires.size(); i++) {
            Wire wire = wires.get(i);
            if (!wire.session.process().alive()) {
                continue;
            }
            int client = firstClient + i;
            if (!wire.delivering && live.canDeliver(client)) {
                wire.delivering = true;
                carry(wire, () -> {
                    wire.delivering = false;
                    stepIf(live.canDeliver(client), new CoordinationEvent.Deliver(client));
                }, delayNs());
            }
            if (!wire.receiving && live.canReceive(client)) {
                wire.receiving = true;
                carry(wire, () -> {
                    wire.receiving = false;
                    stepIf(live.canReceive(client), new CoordinationEvent.Receive(client));
                }, delayNs());
            }
        }
    }

    /// What cannot get through is sent again until it does, or the connection is given up; a process that stands still
    /// neither sends nor hears.
    private void carry(Wire wire, Runnable arrival, long delayNs) {
        loop.schedule(() -> {
            SimProcess process = wire.session.process();
            long now = world.scheduler().nowNs();
            if (process.isCutFromCoordination(now) || process.paused(now)) {
                carry(wire, arrival, 3 * MS);
            } else if (process.alive()) {
                arrival.run();
            }
        }, delayNs);
    }

    /// Tells a process something, as soon as it can hear.
    private void tell(SimSession session, CoordinationEffect effect) {
        SimProcess process = session.process();
        if (!loop.runs() || process.paused(world.scheduler().nowNs())) {
            loop.schedule(() -> tell(session, effect), loop.runs() ? 3 * MS : 0);
        } else if (process.alive()) {
            session.notice(effect);
        }
    }

    private void order(int server) {
        if (!live.canOrder(server)) {
            goOn();
            return;
        }
        CoordinationState.Waiting next = live.nextToOrder(server);
        Znodes before = live.head();
        step(new CoordinationEvent.Order(server));
        if (next.request() instanceof Request.Multi && !live.head().equals(before)) {
            mayWrite(next.client());
        }
    }

    /// Whoever changes a VM's record or an intent has claimed the newest term.
    private void mayWrite(int client) {
        SimProcess writer = wire(client).session.process();
        String newest = node(PATHS.term()).data();
        if (!newest.contains("\"" + writer + "\"")) {
            world.violation("C1: " + writer + " writes though the newest term is that of " + newest);
        }
    }

    private long delayNs() {
        long resent = rng.perMille(world.lossPerMille()) ? rng.between(3 * MS, 30 * MS) : 0;
        return resent + (rng.oneIn(40) ? rng.between(500_000, 6 * MS) : rng.between(5_000, 80_000));
    }

    private void stepIf(boolean can, CoordinationEvent event) {
        if (can) {
            step(event);
        } else {
            goOn();
        }
    }

    private void tick() {
        loop.schedule(this::tick, TICK_MS * MS / 2);
        for (int server = 0; server < SERVERS; server++) {
            stepIf(live.canReport(server), new CoordinationEvent.ReportSessions(server));
        }
        step(new CoordinationEvent.Advance(0));
        for (long session : live.overdue()) {
            world.trace(() -> "session " + session + " expires");
            step(new CoordinationEvent.Expire(session));
        }
        if (world.troubles().healed()) {
            restore();
        }
    }

    // ---- servers

    /// A server and the leader no longer reach each other for so long. It goes on answering until it notices; if it was
    /// the leader, the others choose another one.
    void cutOff(boolean leader, long durationNs) {
        if (!whole()) {
            return;
        }
        int server = leader ? live.leader() : (live.leader() + 1 + rng.below(SERVERS - 1)) % SERVERS;
        world.trace(() -> "server " + server + " of the ensemble is cut off" + (leader ? ", it led" : ""));
        step(new CoordinationEvent.CutOff(server));
        if (leader) {
            loop.schedule(() -> elect(server), rng.between(1 * MS, 2L * TICK_MS * MS));
        }
        loop.schedule(() -> notice(server), rng.between(1 * MS, 6L * TICK_MS * MS));
        loop.schedule(() -> rejoin(server), durationNs);
    }

    /// The leader's process ends and begins again after so long.
    void killLeader(long durationNs) {
        if (!whole()) {
            return;
        }
        int server = live.leader();
        world.trace(() -> "server " + server + " of the ensemble dies, it led");
        step(new CoordinationEvent.Stop(server));
        loop.schedule(() -> elect(server), rng.between(1 * MS, 2L * TICK_MS * MS));
        loop.schedule(() -> rejoin(server), durationNs);
    }

    private boolean whole() {
        for (int server = 0; server < SERVERS; server++) {
            if (!live.follows(server)) {
                return false;
            }
        }
        return live.hasQuorum();
    }

    private void elect(int without) {
        if (live.hasQuorum()) {
            return;
        }
        TreeSet<Integer> members = new TreeSet<>();
        for (int server = 0; server < SERVERS; server++) {
            if (server != without && live.up(server)) {
                members.add(server);
            }
        }
        if (members.size() * 2 <= SERVERS) {
            return;
        }
        List<Integer> survivors = new ArrayList<>();
        for (int server = 0; server < SERVERS; server++) {
            for (int left = rng.below(live.forwarded(server) + 1); left > 0; left--) {
                survivors.add(server);
            }
        }
        int leader = members.stream().skip(rng.below(members.size())).findFirst().orElseThrow();
        world.trace(() -> "the ensemble " + members + " chooses server " + leader + ", committing " + survivors.size()
                + " requests of the leader before");
        step(new CoordinationEvent.Elect(leader, members, survivors));
    }

    private void notice(int server) {
        if (live.up(server) && live.serving(server) && !(live.follows(server) && live.hasQuorum())) {
            step(new CoordinationEvent.Notice(server));
        }
    }

    private void rejoin(int server) {
        if (!live.up(server)) {
            step(new CoordinationEvent.Start(server));
        }
        if (live.follows(server)) {
            return;
        }
        if (live.serving(server) && !live.sameEpoch(server)) {
            step(new CoordinationEvent.Notice(server));
        }
        if (live.serving(server) || live.hasQuorum()) {
            world.trace(() -> "server " + server + " of the ensemble is back");
            step(new CoordinationEvent.Rejoin(server));
        } else {
            loop.schedule(() -> rejoin(server), TICK_MS * MS / 2);
        }
    }

    /// The faults have ended.
    private void restore() {
        for (int server = 0; server < SERVERS; server++) {
            if (!live.up(server)) {
                step(new CoordinationEvent.Start(server));
            }
        }
        if (!live.hasQuorum()) {
            elect(-1);
        }
        for (int server = 0; server < SERVERS; server++) {
            rejoinIf(server, () -> live.hasQuorum());
        }
    }

    private void rejoinIf(int server, BooleanSupplier can) {
        if (!live.follows(server) && can.getAsBoolean()) {
            rejoin(server);
        }
    }
}
