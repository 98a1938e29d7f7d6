package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.TransitOrchestration.Step;
import io.tombolo.coordinator.TransitState.Phase;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The core without threads: step by step against what it must ask for, and random histories of a world of two hosts
/// with pages, pins, calls that fail and cancels, against the rules that must hold whatever happens.
class TransitOrchestrationTest {
    private static final long MS = 1_000_000;
    private static final int CHUNK = 4;
    private static final TransitPlan PLAN = new TransitPlan("v", "a", "b", 4096, CHUNK, 200, 10 * MS, 100 * MS,
            10_000 * MS);

    private static HandoffReport report() {
        return new HandoffReport("v", "a", "b", 7, 0, 1, 2, 3, 4, 0, 5, 6, 1, 8, 0, 1, 2, HandoffOutcome.COMPLETED);
    }

    private static TransitEvent moved(int vmPages, int... status) {
        byte[] bytes = new byte[status.length];
        int notMoved = 0;
        for (int i = 0; i < status.length; i++) {
            bytes[i] = (byte) status[i];
            notMoved += status[i] < 0 ? 1 : 0;
        }
        return new TransitEvent.Moved(new Reply.PagesMoved(vmPages, 4096, status.length, notMoved, Bytes.copyOf(bytes),
                Bytes.copyOf(new byte[status.length])));
    }

    private static TransitEvent tiers(long localFree, long sharedFree) {
        return new TransitEvent.Tiers(List.of(new TierStatus("local", "LOCAL", "x", 1 << 30, localFree, List.of()),
                new TierStatus("shared", "SHARED", "y", 1 << 30, sharedFree, List.of())));
    }

    private static TomboloException error(CoordinatorError code) {
        return TomboloException.error(code, "a failure").build();
    }

    private static final class Play {
        private Step step = TransitOrchestration.start(PLAN, 0);
        private long nowNs;

        Play event(TransitEvent event) {
            nowNs += MS;
            step = TransitOrchestration.step(step.state(), event, nowNs);
            return this;
        }

        Play later(long ms) {
            nowNs += ms * MS;
            return event(new TransitEvent.Tick());
        }

        Play expects(String expected) {
            assertThat(describe(step)).isEqualTo(expected);
            return this;
        }

        Play fails(CoordinatorError code) {
            expects("DONE");
            assertThat(step.state().failure()).as("failure").isPresent();
            TomboloException why = step.state().failure().orElseThrow();
            assertThat(why.code()).isEqualTo(code);
            assertThat(why.facts()).containsEntry("vm", "v");
            assertThat(why.next()).isNotEmpty();
            return this;
        }

        Play succeeds() {
            expects("DONE");
            assertThat(step.state().failure()).isEmpty();
            assertThat(step.state().report()).isPresent();
            return this;
        }

        MoveReport move() {
            return step.state().moveReport();
        }
    }

    private static String describe(Step step) {
        return (step.state().phase() + " " + step.effects().stream().map(effect -> switch (effect) {
            case TransitEffect.AskPins(String host) -> "pins@" + host;
            case TransitEffect.AskTiers(String host) -> "tiers@" + host;
            case TransitEffect.Move move -> "move@" + move.host() + " " + move.firstPage() + "+" + move.count() + "->"
                    + move.tier();
            case TransitEffect.HandOver _ -> "handover";
            case TransitEffect.CancelHandOver _ -> "cancel-handover";
        }).collect(Collectors.joining(", "))).trim();
    }

    private static final int S = PageStatus.SHARED;
    private static final int L = PageStatus.LOCAL;

    /// Past the preflight of a VM of six pages of which 1, 2 and 5 are local.
    private static Play moving() {
        return new Play().expects("PINS pins@a").event(new TransitEvent.Pins(List.of()))
                .expects("QUERY move@a 0+4->-1").event(moved(6, S, L, L, S)).expects("QUERY move@a 4+4->-1")
                .event(moved(6, S, L)).expects("TARGET_ROOM tiers@b").event(tiers(3 * 4096, 0))
                .expects("SHARED_ROOM tiers@a").event(tiers(0, 3 * 4096)).expects("TO_SHARED move@a 1+2->0");
    }

    private static Play handing() {
        return moving().event(moved(6, S, S)).expects("TO_SHARED move@a 5+1->0").event(moved(6, S))
                .expects("HANDOFF handover");
    }

    @Test
    void asksForExactlyThePagesThatWereLocalInBothDirections() {
        Play play = handing().event(new TransitEvent.HandedOver(report())).expects("TO_LOCAL move@b 1+2->1")
                .event(moved(6, L, L)).expects("TO_LOCAL move@b 5+1->1").event(moved(6, L)).succeeds();
        assertThat(play.move()).isEqualTo(new MoveReport(MigrateMode.TRANSIT, 3, 3, 6 * 4096, 2 * MS, 2 * MS, 10 * MS));
    }

    @Test
    void aVmWhosePagesAreAllSharedIsOnlyHandedOver() {
        Play play = new Play().event(new TransitEvent.Pins(List.of())).event(moved(2, S, S)).expects("HANDOFF handover")
                .event(new TransitEvent.HandedOver(report())).succeeds();
        assertThat(play.move().bytesMoved()).isZero();
    }

    @Test
    void goesOnWhereACallEndedEarly() {
        moving().event(moved(6, S)).expects("TO_SHARED move@a 2+1->0").event(moved(6, S))
                .expects("TO_SHARED move@a 5+1->0");
    }

    @Test
    void asksForBusyPagesAloneAgainAfterAWhile() {
        Play play = moving().event(moved(6, PageStatus.EBUSY, S)).event(moved(6, S)).expects("TO_SHARED");
        play.event(new TransitEvent.Tick()).expects("TO_SHARED").later(10).expects("TO_SHARED move@a 1+1->0")
                .event(moved(6, S)).expects("HANDOFF handover");
    }

    @Test
    void givesUpAPageThatStaysBusyWithItsNameAndWhatMoved() {
        Play play = moving().event(moved(6, PageStatus.EBUSY, S)).event(moved(6, S));
        for (int i = 0; i < 9; i++) {
            play.later(10).event(moved(6, PageStatus.EBUSY));
        }
        play.fails(CoordinatorError.MIGRATE_PAGES_STUCK);
        assertThat(play.step.state().failure().orElseThrow().facts()).containsEntry("page", "1")
                .containsEntry("errno", "EBUSY").containsEntry("moved", "2").containsEntry("left", "1");
    }

    @Test
    void aFullRegionHalfWayEndsItAndSaysWhatMoved() {
        Play play = moving().event(moved(6, S, PageStatus.ENOMEM)).fails(CoordinatorError.MIGRATE_NO_ROOM);
        assertThat(play.step.state().failure().orElseThrow().facts()).containsEntry("moved", "1")
                .containsEntry("left", "2").containsEntry("errno", "ENOMEM");
        assertThat(play.move().pagesToShared()).isEqualTo(1);
    }

    @Test
    void aPageThatCannotBeReadEndsIt() {
        moving().event(moved(6, PageStatus.EIO, S)).fails(CoordinatorError.MIGRATE_PAGES_STUCK);
    }

    @Test
    void tooLongForThePagesEndsIt() {
        Play play = moving();
        play.nowNs += 10_000 * MS;
        play.event(moved(6, S, S)).fails(CoordinatorError.MIGRATE_TIMEOUT);
    }

    @Test
    void refusesWhatThePreflightFindsBeforeAnythingMoves() {
        Reply.PinnedRange pin = new Reply.PinnedRange(2, 1, 1);
        Play pinned = new Play().event(new TransitEvent.Pins(List.of(pin))).event(moved(6, S, L, L, S))
                .fails(CoordinatorError.MIGRATE_PAGES_PINNED);
        assertThat(pinned.step.state().failure().orElseThrow().next()).isEqualTo("tombolo pages unpin v 2-2");
        Play queried = new Play().event(new TransitEvent.Pins(List.of(pin))).event(moved(2, L, S))
                .expects("TARGET_ROOM tiers@b");
        queried.event(new TransitEvent.Tiers(List.of())).fails(CoordinatorError.MIGRATE_NO_TIER);
        Play room = new Play().event(new TransitEvent.Pins(List.of())).event(moved(2, L, L));
        room.event(tiers(4096, 0)).fails(CoordinatorError.MIGRATE_NO_ROOM);
        assertThat(room.step.state().failure().orElseThrow().facts()).containsEntry("host", "b")
                .containsEntry("neededBytes", "8192").containsEntry("freeBytes", "4096");
        new Play().event(new TransitEvent.Pins(List.of())).event(moved(2, L, L)).event(tiers(8192, 0))
                .event(tiers(0, 8191)).fails(CoordinatorError.MIGRATE_NO_ROOM);
    }

    @Test
    void aPinOfASharedPageIsInNobodysWay() {
        new Play().event(new TransitEvent.Pins(List.of(new Reply.PinnedRange(0, 1, 1)))).event(moved(2, S, L))
                .expects("TARGET_ROOM tiers@b");
    }

    @Test
    void aCallThatGotNoAnswerIsMadeAgainForAWhile() {
        TransitEvent lost = new TransitEvent.CallFailed(error(CoordinatorError.RPC_TIMEOUT));
        Play play = moving().event(lost).expects("TO_SHARED").later(10).expects("TO_SHARED move@a 1+2->0");
        for (int i = 0; i < 8; i++) {
            play.event(lost).later(10);
        }
        play.event(lost).expects("DONE");
        assertThat(play.step.state().failure().orElseThrow().code()).isEqualTo(CoordinatorError.RPC_TIMEOUT);
        Play refused = moving().event(new TransitEvent.CallFailed(error(CoordinatorError.HOST_DEAD))).expects("DONE");
        assertThat(refused.step.state().failure().orElseThrow().code()).isEqualTo(CoordinatorError.HOST_DEAD);
    }

    // ---- after the hand-off the migration has succeeded

    @Test
    void whatCannotBecomeLocalAtTheTargetStaysSharedAndIsCounted() {
        Play full = handing().event(new TransitEvent.HandedOver(report())).event(moved(6, L, PageStatus.ENOMEM))
                .succeeds();
        assertThat(full.move().pagesToShared()).isEqualTo(3);
        assertThat(full.move().pagesToLocal()).isEqualTo(1);
        Play dead = handing().event(new TransitEvent.HandedOver(report()));
        for (int i = 0; i < 12; i++) {
            dead.event(new TransitEvent.CallFailed(error(CoordinatorError.RPC_TIMEOUT))).later(10);
        }
        assertThat(dead.succeeds().move().pagesToLocal()).isZero();
    }

    @Test
    void aTargetThatIsLostWhileItTakesThePagesInIsNoSuccess() {
        Play dead = handing().event(new TransitEvent.HandedOver(report()));
        for (int i = 0; i < 12; i++) {
            dead.event(new TransitEvent.CallFailed(error(CoordinatorError.HOST_DEAD))).later(10);
        }
        dead.fails(CoordinatorError.OWNER_HOST_DEAD);
    }

    @Test
    void aHandOffThatFailedEndsItWithItsError() {
        Play play = handing().event(new TransitEvent.HandoffFailed(error(CoordinatorError.MIGRATION_ABORTED)))
                .expects("DONE");
        assertThat(play.step.state().failure().orElseThrow().code()).isEqualTo(CoordinatorError.MIGRATION_ABORTED);
    }

    // ---- cancel

    private static void assertCancelled(Play play, String host) {
        play.fails(CoordinatorError.MIGRATION_CANCELLED);
        assertThat(play.step.state().failure().orElseThrow().facts()).containsEntry("host", host);
    }

    @Test
    void aCancelWaitsForTheCallThatIsUnderWayAndMakesNoOther() {
        Play moving = moving().event(new TransitEvent.Cancel()).expects("TO_SHARED").event(moved(6, S, S));
        assertCancelled(moving, "a");
        assertThat(moving.move().pagesToShared()).isEqualTo(2);
        assertCancelled(new Play().event(new TransitEvent.Cancel()).event(new TransitEvent.Pins(List.of())), "a");
        assertCancelled(moving().event(moved(6, PageStatus.EBUSY, S)).event(moved(6, S))
                .event(new TransitEvent.Cancel()), "a");
        assertCancelled(handing().event(new TransitEvent.HandedOver(report())).event(new TransitEvent.Cancel())
                .event(moved(6, L, L)), "b");
    }

    @Test
    void aCancelDuringTheHandOffGoesToItOnceAndItsEndDecides() {
        Play play = handing().event(new TransitEvent.Cancel()).expects("HANDOFF cancel-handover")
                .event(new TransitEvent.Cancel()).expects("HANDOFF");
        assertCancelled(play.event(new TransitEvent.HandoffFailed(error(CoordinatorError.MIGRATION_CANCELLED))), "a");
        assertCancelled(handing().event(new TransitEvent.Cancel()).event(new TransitEvent.HandedOver(report())), "b");
        Play undecided = handing().event(new TransitEvent.Cancel())
                .event(new TransitEvent.HandoffFailed(error(CoordinatorError.MIGRATION_UNDECIDED)));
        assertThat(undecided.step.state().failure().orElseThrow().code())
                .isEqualTo(CoordinatorError.MIGRATION_UNDECIDED);
    }

    @Test
    void theEndOfTheTermEndsItWhereverItIs() {
        for (Play play : List.of(new Play(), moving(), handing(),
                handing().event(new TransitEvent.HandedOver(report())))) {
            play.event(new TransitEvent.TermEnded()).fails(CoordinatorError.TERM_ENDED);
        }
    }

    @Test
    void anAnswerThatNobodyWaitsForChangesNothing() {
        for (Play play : List.of(new Play(), handing(), handing().event(new TransitEvent.HandedOver(report()))
                .event(new TransitEvent.TermEnded()))) {
            TransitState before = play.step.state();
            for (TransitEvent event : List.of(moved(6, S), tiers(0, 0), new TransitEvent.Tick())) {
                Step step = TransitOrchestration.step(before, event, play.nowNs);
                assertThat(step.state()).as("%s at %s", event, before.phase()).isEqualTo(before);
                assertThat(step.effects()).isEmpty();
            }
        }
    }

    @Test
    void tellsHowFarItIs() {
        Play play = moving().event(moved(6, S, S));
        Reply.MigrateProgress progress = play.step.state().progress(play.nowNs);
        assertThat(progress.phase().text()).isEqualTo("to-shared");
        assertThat(progress.pagesDone()).isEqualTo(2);
        assertThat(progress.pagesTotal()).isEqualTo(3);
        assertThat(progress.bytesPerSecond()).isEqualTo(2 * 4096 * 1_000L);
    }

    // ---- a world

    /// Two hosts and the pages of one VM, which answers by the meaning of the calls and not as the core expects.
    private static final class World {
        private final Random random;
        private final int[] pages;
        private String owner = "a";
        private boolean busy;
        private boolean failing;

        World(Random random) {
            this.random = random;
            this.pages = IntStream.range(0, 1 + random.nextInt(40)).map(_ -> random.nextInt(2)).toArray();
        }

        TransitEvent answer(TransitEffect effect) {
            if (failing && !(effect instanceof TransitEffect.HandOver) && random.nextInt(4) == 0) {
                return new TransitEvent.CallFailed(error(
                        random.nextBoolean() ? CoordinatorError.RPC_TIMEOUT : CoordinatorError.HOST_DEAD));
            }
            return switch (effect) {
                case TransitEffect.AskPins _ -> new TransitEvent.Pins(List.of());
                case TransitEffect.AskTiers _ -> tiers(random.nextInt(20) == 0 ? 0 : 1 << 20, 1 << 20);
                case TransitEffect.Move move -> move(move);
                case TransitEffect.HandOver _ -> handOver();
                case TransitEffect.CancelHandOver _ -> throw new AssertionError("has no answer");
            };
        }

        private TransitEvent handOver() {
            if (random.nextInt(4) == 0) {
                return new TransitEvent.HandoffFailed(error(CoordinatorError.MIGRATION_ABORTED));
            }
            assertThat(Arrays.stream(pages).sum()).as("local pages at the hand-off").isZero();
            owner = "b";
            return new TransitEvent.HandedOver(report());
        }

        private TransitEvent move(TransitEffect.Move move) {
            assertThat(move.host()).as("asks the owner").isEqualTo(owner);
            int first = (int) move.firstPage();
            int done = 1 + random.nextInt(Math.min(move.count(), pages.length - first));
            int[] status = new int[done];
            for (int i = 0; i < done; i++) {
                if (move.tier() >= 0) {
                    if (busy && random.nextInt(3) == 0) {
                        status[i] = PageStatus.EBUSY;
                        continue;
                    }
                    pages[first + i] = move.tier();
                }
                status[i] = pages[first + i];
            }
            return moved(pages.length, status);
        }
    }

    @Test
    void everyRandomHistoryEndsWithAWholeVmAndHonestNumbers() {
        long seed = System.nanoTime();
        System.out.println("TransitOrchestrationTest seed " + seed);
        int[] ends = new int[3];
        for (int run = 0; run < 3_000; run++) {
            Random random = new Random(seed + run);
            World world = new World(random);
            world.busy = random.nextBoolean();
            world.failing = random.nextInt(3) == 0;
            int before = Arrays.stream(world.pages).sum();
            int cancelAt = random.nextInt(3) == 0 ? random.nextInt(30) : -1;
            Step step = play(world, cancelAt, seed + run);
            TransitState end = step.state();
            String as = "seed " + (seed + run) + " " + end;
            int local = Arrays.stream(world.pages).sum();
            if (end.failure().isEmpty()) {
                assertThat(world.owner).as(as).isEqualTo("b");
                assertThat(end.pagesToShared()).as(as).isEqualTo(before);
                assertThat(end.pagesToLocal()).as(as).isEqualTo(local);
                ends[0]++;
            } else if (world.owner.equals("a")) {
                assertThat(end.report()).as(as).isEmpty();
                assertThat(end.pagesToShared()).as(as).isEqualTo(before - local);
                ends[1]++;
            } else {
                assertThat(end.failure().get().code()).as(as)
                        .isIn(CoordinatorError.MIGRATION_CANCELLED, CoordinatorError.OWNER_HOST_DEAD);
                assertThat(end.failure().get().facts()).as(as).containsEntry("host", "b");
                ends[2]++;
            }
        }
        assertThat(ends).as("successes, failures at the source, cancels at the target").doesNotContain(0);
    }

    private static Step play(World world, int cancelAt, long seed) {
        Step step = TransitOrchestration.start(PLAN, 0);
        List<TransitEffect> open = new ArrayList<>(step.effects());
        long nowNs = 0;
        for (int i = 0; step.state().phase() != Phase.DONE; i++) {
            assertThat(i).as("seed %d: it ends", seed).isLessThan(5_000);
            assertThat(open.size()).as("seed %d: one call at a time", seed).isLessThanOrEqualTo(1);
            nowNs += MS;
            TransitEvent event;
            if (i == cancelAt) {
                event = new TransitEvent.Cancel();
            } else if (open.isEmpty()) {
                nowNs = Math.max(nowNs, step.state().wakeNs());
                event = new TransitEvent.Tick();
            } else {
                event = world.answer(open.removeFirst());
            }
            step = TransitOrchestration.step(step.state(), event, nowNs);
            step.effects().stream().filter(effect -> !(effect instanceof TransitEffect.CancelHandOver))
                    .forEach(open::add);
        }
        return step;
    }
}
