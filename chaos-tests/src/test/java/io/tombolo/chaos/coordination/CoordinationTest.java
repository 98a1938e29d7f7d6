package io.tombolo.chaos.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The model alone: what must hold under every choice, and what a client cannot know.
final class CoordinationTest {
    private static final int SERVERS = 3;
    private static final int CLIENTS = 3;

    private CoordinationState state = Coordination.start(SERVERS, CLIENTS, 100);
    private long xid;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void whatHoldsHoldsUnderEveryChoice(long given) {
        long seed = Long.getLong("tombolo.coordination.seed", given);
        System.out.println("coordination walk: -Dtombolo.coordination.seed=" + seed);
        Random random = new Random(seed);
        Map<Integer, Long> answeredUpTo = new HashMap<>();
        Map<Integer, Long> versions = new HashMap<>();
        List<CoordinationEvent> walked = new ArrayList<>();
        int[] effects = new int[1];
        for (int i = 0; i < 4_000; i++) {
            CoordinationEvent event = choose(random);
            long zxidBefore = state.lastZxid();
            Coordination.Step step = Coordination.step(state, event);
            walked.add(event);
            state = step.state();
            assertThat(state.lastZxid()).isGreaterThanOrEqualTo(zxidBefore);
            effects[0] += step.effects().size();
            for (CoordinationEffect effect : step.effects()) {
                if (effect instanceof CoordinationEffect.Answered answered
                        && answered.reply().code() != Code.CONNECTIONLOSS) {
                    // In the order of the session, and never an older tree than one already seen.
                    assertThat(answered.xid()).isGreaterThan(answeredUpTo.getOrDefault(answered.client(), 0L));
                    answeredUpTo.put(answered.client(), answered.xid());
                    if (answered.request() instanceof Request.GetData get && get.path().equals("/n")
                            && answered.reply().code() == Code.OK) {
                        long mzxid = answered.reply().stat().mzxid();
                        long session = state.clients().get(answered.client()).session();
                        int key = (int) (session * CLIENTS + answered.client());
                        assertThat(mzxid).isGreaterThanOrEqualTo(versions.getOrDefault(key, 0L));
                        versions.put(key, mzxid);
                    }
                }
            }
            state.head().nodes().forEach((path, node) -> {
                assertThat(node.owner() == 0 || state.sessions().containsKey(node.owner()))
                        .as("seed %d: %s of an ended session", seed, path).isTrue();
                assertThat(path.equals("/") || state.head().at(Znodes.parent(path)) != null).as(path).isTrue();
            });
        }
        assertThat(effects[0]).isGreaterThan(500);
        assertThat(state.epoch()).isGreaterThan(2);
        CoordinationState again = Coordination.start(SERVERS, CLIENTS, 100);
        LiveCoordination live = new LiveCoordination(again);
        for (CoordinationEvent event : walked) {
            Coordination.Step step = Coordination.step(again, event);
            again = step.state();
            assertThat(live.step(event)).as("seed %d: in place, %s", seed, event).isEqualTo(step.effects());
            assertThat(enabled(live)).as("seed %d: after %s", seed, event).isEqualTo(
                    new HashSet<>(Coordination.enabled(again)));
        }
        assertThat(again).isEqualTo(state).hasSameHashCodeAs(state);
        assertThat(live.state()).as("seed %d: in place", seed).isEqualTo(state);
    }

    private static Set<CoordinationEvent> enabled(LiveCoordination live) {
        Set<CoordinationEvent> found = new HashSet<>();
        for (int client = 0; client < CLIENTS; client++) {
            if (live.canDeliver(client)) {
                found.add(new CoordinationEvent.Deliver(client));
            }
            if (live.canReceive(client)) {
                found.add(new CoordinationEvent.Receive(client));
            }
        }
        for (int server = 0; server < SERVERS; server++) {
            if (live.canOrder(server)) {
                found.add(new CoordinationEvent.Order(server));
            }
            if (live.canApply(server)) {
                found.add(new CoordinationEvent.Apply(server));
            }
            if (live.canReport(server)) {
                found.add(new CoordinationEvent.ReportSessions(server));
            }
        }
        live.overdue().forEach(session -> found.add(new CoordinationEvent.Expire(session)));
        return found;
    }

    private CoordinationEvent choose(Random random) {
        List<CoordinationEvent> possible = new ArrayList<>(Coordination.enabled(state));
        for (int client = 0; client < CLIENTS; client++) {
            CoordinationState.Client one = state.clients().get(client);
            if (one.connection() == null) {
                possible.add(new CoordinationEvent.Connect(client, random.nextInt(SERVERS), 400));
            } else if (random.nextInt(30) == 0) {
                possible.add(new CoordinationEvent.Disconnect(client));
            }
            boolean closing = one.outstanding().values().stream().anyMatch(Request.Close.class::isInstance);
            if (one.session() != 0 && one.outstanding().size() < 3 && !closing) {
                possible.add(new CoordinationEvent.Submit(client, ++xid, request(random)));
            }
        }
        if (random.nextInt(20) == 0) {
            possible.add(new CoordinationEvent.Advance(random.nextInt(150)));
        }
        if (random.nextInt(20) == 0) {
            faults(random, possible);
        }
        return possible.isEmpty() ? new CoordinationEvent.Advance(1) : possible.get(random.nextInt(possible.size()));
    }

    private void faults(Random random, List<CoordinationEvent> possible) {
        possible.clear();
        int number = random.nextInt(SERVERS);
        CoordinationState.Server server = state.servers().get(number);
        boolean follows = server.up() && server.serving() && server.linked() && server.epoch() == state.epoch();
        if (!server.up()) {
            possible.add(new CoordinationEvent.Start(number));
        } else if (follows) {
            possible.add(random.nextInt(3) == 0
                    ? new CoordinationEvent.Stop(number)
                    : new CoordinationEvent.CutOff(number));
        } else if (server.serving()) {
            possible.add(server.epoch() == state.epoch() && random.nextBoolean()
                    ? new CoordinationEvent.Rejoin(number)
                    : new CoordinationEvent.Notice(number));
        } else if (state.hasQuorum()) {
            possible.add(new CoordinationEvent.Rejoin(number));
        }
        TreeSet<Integer> up = new TreeSet<>(
                IntStream.range(0, SERVERS).filter(i -> state.servers().get(i).up()).boxed().toList());
        if (up.size() >= 2 && !state.hasQuorum()) {
            possible.add(new CoordinationEvent.Elect(up.last(), up, survivors(random)));
        }
    }

    /// Any of what the servers forwarded, in any order between servers.
    private List<Integer> survivors(Random random) {
        List<Integer> chosen = new ArrayList<>();
        for (int number = 0; number < SERVERS; number++) {
            if (Requests.next(state.servers().get(number)) >= 0 && random.nextBoolean()) {
                chosen.add(number);
            }
        }
        return chosen;
    }

    private static Request request(Random random) {
        boolean watch = random.nextInt(3) == 0;
        return switch (random.nextInt(9)) {
            case 0 -> new Request.Create("/n", "0", Request.Mode.PERSISTENT);
            case 1 -> new Request.Create("/e-", "", Request.Mode.EPHEMERAL_SEQUENTIAL);
            case 2 -> new Request.SetData("/n", "d", -1);
            case 3 -> new Request.GetChildren("/", watch);
            case 4 -> new Request.Exists("/n", watch);
            case 5 -> new Request.Sync("/");
            case 6 -> random.nextInt(4) == 0 ? new Request.Close() : new Request.Ping();
            default -> new Request.GetData("/n", watch);
        };
    }

    // ---- what a client cannot know

    @Test
    void aWriteWhoseConnectionWasLostMayBeCarriedOutAfterTheClientIsBack() {
        connect(0, 1);
        submit(0, new Request.Create("/late", "", Request.Mode.PERSISTENT));
        move(new CoordinationEvent.Deliver(0));
        assertThat(move(new CoordinationEvent.Disconnect(0)).getFirst()).isInstanceOfSatisfying(
                CoordinationEffect.Answered.class,
                answered -> assertThat(answered.reply().code()).isEqualTo(Code.CONNECTIONLOSS));
        move(new CoordinationEvent.Connect(0, 1, 400));
        assertThat(state.head().at("/late")).isNull();
        move(new CoordinationEvent.Order(1));
        assertThat(state.head().at("/late")).isNotNull();
    }

    @Test
    void aWriteOfASessionThatMovedIsNotCarriedOut() {
        connect(0, 1);
        submit(0, new Request.Create("/moved", "", Request.Mode.PERSISTENT));
        move(new CoordinationEvent.Deliver(0));
        move(new CoordinationEvent.Disconnect(0));
        assertThat(move(new CoordinationEvent.Connect(0, 2, 400)))
                .hasOnlyElementsOfType(CoordinationEffect.Session.class);
        move(new CoordinationEvent.Order(1));
        assertThat(state.head().at("/moved")).isNull();
    }

    @Test
    void aWriteInFlightAtAnElectionSurvivesOrNotAsTheCallerSays() {
        connect(0, 1);
        submit(0, new Request.Create("/first", "", Request.Mode.PERSISTENT));
        submit(0, new Request.Create("/second", "", Request.Mode.PERSISTENT));
        move(new CoordinationEvent.Deliver(0));
        move(new CoordinationEvent.Deliver(0));
        move(new CoordinationEvent.Stop(0));
        move(new CoordinationEvent.Elect(2, new TreeSet<>(List.of(1, 2)), List.of(1)));
        assertThat(state.head().at("/first")).isNotNull();
        assertThat(state.head().at("/second")).isNull();
        assertThat(state.lastZxid() >>> 32).isEqualTo(2);
    }

    @Test
    void aNodeThatCameAndWentWhileTheConnectionWasLostIsNeverTold() {
        connect(0, 0);
        connect(1, 0);
        submit(0, new Request.Exists("/brief", true));
        settle();
        move(new CoordinationEvent.Disconnect(0));
        submit(1, new Request.Create("/brief", "", Request.Mode.PERSISTENT));
        submit(1, new Request.Delete("/brief", -1));
        settle();
        move(new CoordinationEvent.Connect(0, 0, 400));
        assertThat(settle()).isEmpty();
        submit(1, new Request.Create("/brief", "", Request.Mode.PERSISTENT));
        assertThat(settle())
                .contains(new CoordinationEffect.Notified(0, new WatchEvent(WatchEvent.Type.NODE_CREATED, "/brief")));
    }

    @Test
    void aMinorityCommitsNothingAndEndsNoSession() {
        connect(0, 0);
        submit(0, new Request.Create("/minority", "", Request.Mode.PERSISTENT));
        move(new CoordinationEvent.Deliver(0));
        move(new CoordinationEvent.CutOff(0));
        move(new CoordinationEvent.Advance(10_000));
        assertThat(Coordination.enabled(state)).isEmpty();
        assertThatThrownBy(() -> Coordination.step(state, new CoordinationEvent.Order(0)))
                .isInstanceOf(IllegalStateException.class);
    }

    private void connect(int client, int server) {
        move(new CoordinationEvent.Connect(client, server, 400));
        settle();
    }

    private void submit(int client, Request request) {
        move(new CoordinationEvent.Submit(client, ++xid, request));
    }

    private List<CoordinationEffect> move(CoordinationEvent event) {
        Coordination.Step step = Coordination.step(state, event);
        state = step.state();
        return step.effects();
    }

    private List<CoordinationEffect> settle() {
        Coordination.Step step = Coordination.settle(state);
        state = step.state();
        return step.effects();
    }
}
