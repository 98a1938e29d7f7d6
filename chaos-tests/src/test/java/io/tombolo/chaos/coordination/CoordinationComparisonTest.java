package io.tombolo.chaos.coordination;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The same random requests of several clients, alone and in bursts, on a real server and on the model: what every
/// client gets told, and in which order, must be the same line by line.
@Timeout(120)
final class CoordinationComparisonTest {
    private static final int CLIENTS = 3;
    private static final int ROUNDS = Integer.getInteger("tombolo.coordination.rounds", 500);
    private static final int SESSION_MS = 4_000;
    private static final long BARRIER = Long.MAX_VALUE;
    private static RealEnsemble ensemble;
    private static int runs;

    private final Map<Integer, RealClient> real = new TreeMap<>();
    private final Map<Integer, TcpGate> gates = new TreeMap<>();
    private final Map<Integer, List<String>> told = new TreeMap<>();
    private final Map<Long, Long> sessions = new HashMap<>();
    private CoordinationState model = Coordination.start(1, CLIENTS, RealEnsemble.TICK_MS);
    private final String root = "/run" + runs++;
    private long zxidOffset;
    private long xid;
    private final Map<Code, Integer> codes = new TreeMap<>();
    private int events;
    /// Which of several ephemeral nodes of a session goes first, and which watch is set again first, is hash order.
    private boolean inOrder;

    @BeforeAll
    static void startServer() throws IOException {
        ensemble = RealEnsemble.start(1);
    }

    @AfterAll
    static void stopServer() throws IOException {
        ensemble.close();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void clientsAreToldTheSameByTheModelAndByARealServer(long given) throws IOException {
        long seed = Long.getLong("tombolo.coordination.seed", given);
        System.out.println("coordination comparison: -Dtombolo.coordination.seed=" + seed);
        Random random = new Random(seed);
        try {
            for (int client = 0; client < CLIENTS; client++) {
                gates.put(client, new TcpGate(ensemble.clientPort(0)));
                open(client);
            }
            // The first write tells how far the two counters are apart.
            run(0, List.of(new Request.Create(root, "", Request.Mode.PERSISTENT)));
            zxidOffset = real.get(0).call(new Request.Exists(root, false)).stat().czxid()
                    - model.head().at(root).czxid();
            real.values().forEach(RealClient::transcript);
            told.clear();
            for (int round = 0; round < ROUNDS; round++) {
                int client = random.nextInt(CLIENTS);
                inOrder = true;
                if (random.nextInt(150) == 0) {
                    close(client);
                    open(client);
                } else if (random.nextInt(400) == 0) {
                    loseConnection(client, random);
                } else {
                    List<Request> burst = new ArrayList<>();
                    for (int i = random.nextInt(4) == 0 ? random.nextInt(6) : 1; i > 0; i--) {
                        burst.add(request(random));
                    }
                    run(client, burst);
                }
                compare(seed, round);
            }
        } finally {
            real.values().forEach(RealClient::close);
            gates.values().forEach(TcpGate::close);
        }
        System.out.println("coordination comparison: seed=" + seed + " requests=" + xid + " events="
                + events + " codes=" + codes);
        assertThat(events).isPositive();
        assertThat(codes).containsKeys(Code.OK, Code.NONODE, Code.BADVERSION, Code.NODEEXISTS, Code.NOTEMPTY);
    }

    private void open(int client) throws IOException {
        RealClient fresh = new RealClient(gates.get(client).port(), SESSION_MS, zxid -> zxid - zxidOffset,
                sessions::get);
        real.put(client, fresh);
        move(new CoordinationEvent.Connect(client, 0, SESSION_MS));
        settle();
        sessions.put(fresh.session(), model.clients().get(client).session());
    }

    private void close(int client) {
        inOrder = false;
        real.get(client).close();
        move(new CoordinationEvent.Submit(client, ++xid, new Request.Close()));
        settle();
        told.remove(client);
    }

    private void loseConnection(int client, Random random) {
        inOrder = false;
        gates.get(client).shut();
        real.get(client).awaitState(org.apache.zookeeper.Watcher.Event.KeeperState.Disconnected);
        move(new CoordinationEvent.Disconnect(client));
        for (int i = 0; i < 30; i++) {
            run((client + 1 + random.nextInt(CLIENTS - 1)) % CLIENTS, List.of(request(random)));
        }
        gates.get(client).open();
        real.get(client).awaitState(org.apache.zookeeper.Watcher.Event.KeeperState.SyncConnected);
        move(new CoordinationEvent.Connect(client, 0, SESSION_MS));
        settle();
    }

    private void run(int client, List<Request> burst) {
        List<CompletableFuture<Reply>> replies = burst.stream().map(real.get(client)::send).toList();
        burst.forEach(request -> move(new CoordinationEvent.Submit(client, ++xid, request)));
        settle();
        for (CompletableFuture<Reply> reply : replies) {
            codes.merge(reply.orTimeout(15, TimeUnit.SECONDS).join().code(), 1, Integer::sum);
        }
    }

    private void move(CoordinationEvent event) {
        note(Coordination.step(model, event));
    }

    private void settle() {
        note(Coordination.settle(model));
    }

    private void note(Coordination.Step step) {
        model = step.state();
        for (CoordinationEffect effect : step.effects()) {
            switch (effect) {
                case CoordinationEffect.Answered answered -> {
                    if (answered.xid() != BARRIER) {
                        tell(answered.client(), answered.reply());
                    }
                }
                case CoordinationEffect.Notified notified -> {
                    events++;
                    tell(notified.client(), notified.event());
                }
                case CoordinationEffect.Session _ -> {
                }
                case CoordinationEffect.Refused refused -> throw new AssertionError(refused);
            }
        }
    }

    private void tell(int client, Object what) {
        told.computeIfAbsent(client, _ -> new ArrayList<>()).add(what.toString());
    }

    private void compare(long seed, int round) {
        real.forEach((client, connection) -> {
            connection.barrier();
            move(new CoordinationEvent.Submit(client, BARRIER, new Request.Exists("/", false)));
            settle();
            List<String> expected = connection.transcript();
            List<String> got = told.getOrDefault(client, List.of());
            assertThat(inOrder ? got : got.stream().sorted().toList())
                    .as("seed %d, round %d, client %d", seed, round, client)
                    .isEqualTo(inOrder ? expected : expected.stream().sorted().toList());
        });
        told.clear();
    }

    private Request request(Random random) {
        String path = path(random);
        int version = random.nextInt(3) == 0 ? random.nextInt(3) : -1;
        boolean watch = random.nextBoolean();
        return switch (random.nextInt(12)) {
            case 0, 1 -> new Request.Exists(path, watch);
            case 2, 3 -> new Request.GetData(path, watch);
            case 4, 5 -> new Request.GetChildren(path, watch);
            case 6 -> new Request.Sync(path);
            case 7 -> {
                List<Request.Write> parts = new ArrayList<>();
                for (int i = random.nextInt(4); i >= 0; i--) {
                    parts.add(random.nextInt(4) == 0
                            ? new Request.Check(path(random), random.nextInt(3) - 1)
                            : write(random, path(random), random.nextInt(4) == 0 ? 0 : -1));
                }
                yield new Request.Multi(parts);
            }
            default -> (Request) write(random, path, version);
        };
    }

    private static Request.Write write(Random random, String path, int version) {
        return switch (random.nextInt(9)) {
            case 0, 1 -> new Request.Delete(path, version);
            case 2, 3 -> new Request.SetData(path, "d" + random.nextInt(100), version);
            case 4 -> new Request.Create(path + "/q-", "", Request.Mode.PERSISTENT_SEQUENTIAL);
            case 5 -> new Request.Create(path + "/e-", "", Request.Mode.EPHEMERAL_SEQUENTIAL);
            case 6 -> new Request.Create(path, "e", Request.Mode.EPHEMERAL);
            default -> new Request.Create(path, random.nextInt(5) == 0 ? null : "c", Request.Mode.PERSISTENT);
        };
    }

    /// Of a few fixed names, or of what is there now.
    private String path(Random random) {
        if (random.nextInt(4) == 0) {
            List<String> there = List.copyOf(model.head().nodes().subMap(root + "/", root + "0").keySet());
            if (!there.isEmpty()) {
                return there.get(random.nextInt(there.size()));
            }
        }
        String path = root + "/" + "ab".charAt(random.nextInt(2));
        return random.nextBoolean() ? path : path + "/" + "xyz".charAt(random.nextInt(3));
    }
}
