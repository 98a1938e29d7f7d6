package io.tombolo.chaos.sim;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.TransitEffect;
import io.tombolo.coordinator.TransitEvent;
import io.tombolo.coordinator.TransitOrchestration;
import io.tombolo.coordinator.TransitPlan;
import io.tombolo.coordinator.TransitState;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/// One transit, after the coordinator's TransitRunner: the shipped [TransitOrchestration], on the actor of whoever
/// asked for it; the hand-off is made on another.
final class SimTransit {
    private final World world;
    private final SimCoordinator coordinator;
    private final Function<Consumer<SimHandoff>, HandoffReport> handOver;
    private final Deque<TransitEvent> events = new ArrayDeque<>();
    private final Scheduler.Actor actor;
    private TransitOrchestration.Step next;
    private SimHandoff handoff;
    private boolean handoffCancelled;

    /// @param handOver makes the hand-off, telling of its runner once that is past its preflight; throws what it fails
    /// with
    SimTransit(World world, SimCoordinator coordinator, TransitPlan plan,
            Function<Consumer<SimHandoff>, HandoffReport> handOver) {
        this.world = world;
        this.coordinator = coordinator;
        this.handOver = handOver;
        this.actor = world.scheduler().current();
        this.next = TransitOrchestration.start(plan, world.scheduler().nowNs());
    }

    /// Runs until it is done. Throws the failure.
    TransitState run() {
        perform();
        while (next.state().phase() != TransitState.Phase.DONE) {
            TransitEvent event = nextEvent();
            TransitState before = next.state();
            next = TransitOrchestration.step(before, event, world.scheduler().nowNs());
            TransitState.Phase now = next.state().phase();
            if (before.phase() != now) {
                world.trace(() -> coordinator + ": transit of " + before.plan().vm() + ": " + before.phase() + " -> "
                        + now);
            }
            perform();
        }
        next.state().failure().ifPresent(failure -> {
            throw failure;
        });
        return next.state();
    }

    private TransitEvent nextEvent() {
        while (events.isEmpty()) {
            if (next.state().waiting()) {
                world.scheduler().parkForever();
            } else if (next.state().wakeNs() > world.scheduler().nowNs()) {
                world.scheduler().park(next.state().wakeNs() - world.scheduler().nowNs());
            } else {
                return new TransitEvent.Tick();
            }
        }
        return events.poll();
    }

    private void post(TransitEvent event) {
        events.add(event);
        actor.wake();
    }

    void cancel() {
        post(new TransitEvent.Cancel());
    }

    void termEnded() {
        post(new TransitEvent.TermEnded());
    }

    private void perform() {
        String vm = next.state().plan().vm();
        for (TransitEffect effect : next.effects()) {
            switch (effect) {
                case TransitEffect.AskPins(String host) -> call(host, new AgentRequest.ListPins(vm),
                        reply -> new TransitEvent.Pins(((Reply.PinList) reply).ranges()));
                case TransitEffect.AskTiers(String host) -> call(host, new AgentRequest.ListTiers(),
                        reply -> new TransitEvent.Tiers(((Reply.TierList) reply).tiers()));
                case TransitEffect.Move move -> call(move.host(),
                        new AgentRequest.MovePages(vm, move.firstPage(), move.count(), move.tier(),
                                next.state().plan().budgetMs()),
                        reply -> new TransitEvent.Moved((Reply.PagesMoved) reply));
                case TransitEffect.HandOver _ -> world.scheduler().spawn(coordinator, coordinator + "/transit " + vm,
                        this::handOver);
                case TransitEffect.CancelHandOver _ -> {
                    handoffCancelled = true;
                    if (handoff != null) {
                        handoff.cancel();
                    }
                }
            }
        }
    }

    private void handOver() {
        try {
            post(new TransitEvent.HandedOver(handOver.apply(started -> {
                handoff = started;
                if (handoffCancelled) {
                    handoff.cancel();
                }
            })));
        } catch (TomboloException e) {
            post(new TransitEvent.HandoffFailed(e));
        }
    }

    private void call(String host, AgentRequest request, Function<Reply, TransitEvent> answered) {
        coordinator.call(host, request, SimCoordinator.TIMINGS.finishMs() + next.state().plan().budgetMs(),
                (reply, failure) -> post(failure == null
                        ? answered.apply(reply)
                        : new TransitEvent.CallFailed(failure instanceof TomboloException known
                                ? known
                                : TomboloException.error(CoordinatorError.RPC_TIMEOUT, "the agent did not answer")
                                        .cause(failure).build())));
    }

    /// As LeaderSession plans it, at the base figure of this world.
    static TransitPlan plan(String vm, String from, String to, int pageBytes) {
        return new TransitPlan(vm, from, to, pageBytes, 2, 5,
                TimeUnit.MILLISECONDS.toNanos(SimCoordinator.TIMINGS.retryMs()) / 10,
                TimeUnit.MILLISECONDS.toNanos(SimCoordinator.TIMINGS.switchMs()) / 4,
                TimeUnit.MILLISECONDS.toNanos(SimCoordinator.TIMINGS.switchMs()));
    }
}
