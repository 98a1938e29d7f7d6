package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.HostState;
import io.tombolo.region.SlotWord;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Random histories against an independent account of what the world looks like: who may run is worked out here from
/// the events alone, and the keeper must never let run what that account forbids.
class RightKeeperRandomTest {
    private static final long MS = 1_000_000L;
    private static final long INCARNATION = 3;
    private static final Timings TIMINGS = new Timings(100);
    private static final RightKeeper KEEPER = new RightKeeper(TIMINGS, SlotWord.pack(HostState.LIVE, INCARNATION),
            true);

    /// The account: what happened, seen from outside.
    private static final class World {
        private final List<String> log = new ArrayList<>();
        private boolean running;
        private boolean wordLive = true;
        private boolean supervisor;
        private long lastSentNs = Long.MIN_VALUE;
        private long lastGrantedMs;
        private long pausedAtNs;
        private long renewAsked;
        private boolean renewPending;
        private boolean stoppedSincePause = true;
        private boolean guestsGone;
        private boolean saidStopped;
        private boolean wordOurs = true;
        private boolean terminal;
        private boolean exited;
        private boolean deadlineMissed;
        private boolean wordSeenSincePause;

        void note(RightEvent event, long now) {
            log.add((now / MS) + " " + event);
            deadlineMissed = running && now >= TIMINGS.deadlineNs(lastSentNs, lastGrantedMs);
            switch (event) {
                case RightEvent.HeartbeatConfirmed e -> {
                    if (e.sentAtNs() > lastSentNs) {
                        lastSentNs = e.sentAtNs();
                        lastGrantedMs = e.grantedTimeoutMs();
                    }
                }
                case RightEvent.SlotWordSeen e -> {
                    wordSeenSincePause |= SlotWord.state(e.word()) == HostState.LIVE;
                    wordLive &= SlotWord.state(e.word()) == HostState.LIVE;
                    wordOurs &= SlotWord.incarnation(e.word()) == INCARNATION
                            && EnumSet.of(HostState.LIVE, HostState.FENCING, HostState.FAILED)
                                    .contains(SlotWord.state(e.word()));
                }
                case RightEvent.SupervisorSeen _ -> supervisor = true;
                case RightEvent.SupervisorLost _ -> supervisor = false;
                case RightEvent.StoringStopped e -> {
                    stoppedSincePause |= !running;
                    guestsGone = e.guestsGone();
                }
                default -> {
                }
            }
        }

        void apply(RightEffect effect, long now) {
            log.add("    " + effect);
            assertThat(exited).as("nothing follows the exit").isFalse();
            switch (effect) {
                case RightEffect.Warn _ -> assertThat(terminal).isFalse();
                case RightEffect.PauseAll e -> {
                    running = false;
                    renewPending = false;
                    stoppedSincePause = false;
                    wordSeenSincePause = false;
                    pausedAtNs = now;
                    assertThat(terminal).as("one terminal pause").isFalse();
                    terminal = e.terminal();
                }
                case RightEffect.RenewAll e -> {
                    assertThat(terminal).as("renewed after the end").isFalse();
                    assertThat(stoppedSincePause).as("renewed before everything stopped").isTrue();
                    assertThat(lastSentNs).as("renewed on an old heartbeat").isGreaterThanOrEqualTo(pausedAtNs);
                    assertThat(wordSeenSincePause).as("renewed on an old look at the slot word").isTrue();
                    assertThat(e.generation()).isGreaterThan(renewAsked);
                    renewAsked = e.generation();
                    renewPending = true;
                }
                case RightEffect.ResumeAll e -> {
                    assertThat(renewPending).as("resumed without a renewal since the lapse").isTrue();
                    assertThat(e.generation()).isEqualTo(renewAsked);
                    renewPending = false;
                    running = true;
                }
                case RightEffect.StopVm _ -> assertThat(terminal).isFalse();
                case RightEffect.SayStopped _ -> {
                    assertThat(saidStopped).isFalse();
                    assertThat(terminal && stoppedSincePause && guestsGone && wordOurs).isTrue();
                    saidStopped = true;
                }
                case RightEffect.Exit e -> {
                    assertThat(terminal).isTrue();
                    assertThat(!e.allStopped() || (stoppedSincePause && guestsGone)).isTrue();
                    exited = true;
                }
            }
        }

        void check(long now) {
            assertThat(deadlineMissed && running).as("ran on over a missed deadline").isFalse();
            if (running) {
                assertThat(wordLive).as("runs with a slot word that is not LIVE").isTrue();
                assertThat(supervisor).as("runs without a supervisor").isTrue();
                assertThat(now).as("runs past the deadline").isLessThan(TIMINGS.deadlineNs(lastSentNs, lastGrantedMs));
            }
        }
    }

    private static RightEvent randomEvent(SplittableRandom random, long now, long generation, boolean mayFence,
            World world) {
        return switch (random.nextInt(mayFence ? 40 : 39)) {
            case 0, 1, 2, 3, 4, 5, 6, 7, 8 ->
                new RightEvent.HeartbeatConfirmed(now - random.nextLong(random.nextInt(4) == 0 ? 400 * MS : 20 * MS),
                        random.nextInt(8) == 0 ? 200 : 400);
            case 9, 10, 11, 12, 13, 14, 15 ->
                new RightEvent.SlotWordSeen(SlotWord.pack(world.wordLive ? HostState.LIVE : HostState.FENCING, 3));
            case 16, 17, 18, 19 -> new RightEvent.SupervisorSeen();
            case 20 -> new RightEvent.SupervisorLost();
            case 21 -> new RightEvent.BoottimeJump(random.nextLong(3));
            case 22 -> new RightEvent.SessionLost();
            case 23 -> new RightEvent.OwnerLost(random.nextInt(4));
            case 24, 25, 26, 27, 28, 29 ->
                world.running ? new RightEvent.Tick() : new RightEvent.StoringStopped(random.nextBoolean());
            case 30, 31, 32, 33, 34 -> new RightEvent.RenewDone(generation - random.nextInt(5) / 4);
            case 39 -> new RightEvent.SlotWordSeen(SlotWord.pack(HostState.ofCode(random.nextInt(7)),
                    3 + random.nextInt(2)));
            default -> new RightEvent.Tick();
        };
    }

    @Test
    void neverLetsRunWhatTheEventsForbid() {
        long seed = Long.getLong("tombolo.seed", System.nanoTime());
        System.out.println("RightKeeperRandomTest: reproduce with -Dtombolo.seed=" + seed);
        SplittableRandom seeds = new SplittableRandom(seed);
        int held = 0;
        int ended = 0;
        int renewals = 0;
        for (int history = 0; history < 4_000; history++) {
            SplittableRandom random = seeds.split();
            World world = new World();
            long now = 1_000 * MS;
            RightState state = KEEPER.initial(now);
            world.pausedAtNs = now;
            try {
                for (int i = 0; i < 150; i++) {
                    now += random.nextInt(30) == 0 ? random.nextLong(250 * MS) : random.nextLong(8 * MS);
                    RightEvent event = randomEvent(random, now, state.generation(), i > 60, world);
                    world.note(event, now);
                    RightKeeper.Step step = KEEPER.step(state, event, now);
                    state = step.state();
                    for (RightEffect effect : step.effects()) {
                        world.apply(effect, now);
                    }
                    assertThat(state.held()).isEqualTo(world.running);
                    world.check(now);
                    held += world.running ? 1 : 0;
                }
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + " history " + history + ":\n" + String.join("\n", world.log),
                        e);
            }
            ended += world.exited ? 1 : 0;
            renewals += (int) Math.max(0, state.generation() - 1);
        }
        assertThat(held).as("a test that never runs proves nothing").isGreaterThan(10_000);
        assertThat(ended).isGreaterThan(100);
        assertThat(renewals).isGreaterThan(500);
    }
}
