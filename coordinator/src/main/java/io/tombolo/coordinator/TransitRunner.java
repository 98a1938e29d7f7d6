package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what [TransitOrchestration] says on the caller's thread: events go into a queue, effects are carried out
/// one after the other, answers come back as events.
final class TransitRunner implements ActiveMigration {
    private static final Logger LOG = LoggerFactory.getLogger(TransitRunner.class);

    private final AgentLinks agents;
    private final Function<Consumer<HandoffRunner>, HandoffReport> handOver;
    private final long callMs;
    private final BlockingQueue<TransitEvent> events = new LinkedBlockingQueue<>();
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private final Handoff handoff = new Handoff();
    private volatile TransitState state;
    private TransitOrchestration.Step next;

    /// @param handOver makes the hand-off, telling of its runner once that is past its preflight; blocks; throws as
    ///                 [LeaderSession#migrate] does
    /// @param callMs   for an agent to answer, beyond the budget of a call
    TransitRunner(TransitPlan plan, AgentLinks agents, Function<Consumer<HandoffRunner>, HandoffReport> handOver,
            long callMs) {
        this.agents = requireNonNull(agents, "agents is null");
        this.handOver = requireNonNull(handOver, "handOver is null");
        this.callMs = callMs;
        this.next = TransitOrchestration.start(plan, System.nanoTime());
        this.state = next.state();
    }

    /// Runs until it is done.
    ///
    /// @return the final state, without a failure
    /// @throws TomboloException the failure
    TransitState run() {
        try {
            perform();
            while (state.phase() != TransitState.Phase.DONE) {
                TransitEvent event = nextEvent();
                TransitState before = state;
                next = TransitOrchestration.step(before, event, System.nanoTime());
                state = next.state();
                if (before.phase() != state.phase()) {
                    LOG.debug("transit of {}: {} -> {} at {}", before.plan().vm(), before.phase(), state.phase(),
                            event);
                }
                perform();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw TomboloException.error(CoordinatorError.TERM_ENDED, "the coordinator is being stopped").cause(e)
                    .build();
        }
        if (state.failure().isPresent()) {
            throw state.failure().get();
        }
        return state;
    }

    private TransitEvent nextEvent() throws InterruptedException {
        while (!state.waiting()) {
            long waitNs = state.wakeNs() - System.nanoTime();
            TransitEvent event = events.poll(Math.max(0, waitNs), TimeUnit.NANOSECONDS);
            if (event != null) {
                return event;
            }
            if (System.nanoTime() - state.wakeNs() >= 0) {
                return new TransitEvent.Tick();
            }
        }
        return events.take();
    }

    private void perform() {
        for (TransitEffect effect : next.effects()) {
            switch (effect) {
                case TransitEffect.AskPins(String host) -> call(host, new AgentRequest.ListPins(state.plan().vm()),
                        Reply.PinList.class, reply -> new TransitEvent.Pins(reply.ranges()));
                case TransitEffect.AskTiers(String host) -> call(host, new AgentRequest.ListTiers(),
                        Reply.TierList.class, reply -> new TransitEvent.Tiers(reply.tiers()));
                case TransitEffect.Move move -> call(move.host(),
                        new AgentRequest.MovePages(state.plan().vm(), move.firstPage(), move.count(), move.tier(),
                                state.plan().budgetMs()),
                        Reply.PagesMoved.class, TransitEvent.Moved::new);
                case TransitEffect.HandOver _ -> Thread.ofVirtual().name("transit-" + state.plan().vm())
                        .start(this::handOver);
                case TransitEffect.CancelHandOver _ -> handoff.cancel();
            }
        }
    }

    private void handOver() {
        try {
            events.add(new TransitEvent.HandedOver(handOver.apply(handoff::started)));
        } catch (TomboloException e) {
            events.add(new TransitEvent.HandoffFailed(e));
            // A bug there must end the transit and reach its caller.
        } catch (RuntimeException e) {
            events.add(new TransitEvent.HandoffFailed(tombolo(e)));
        }
    }

    private <R extends Reply> void call(String host, AgentRequest request, Class<R> replyType,
            Function<R, TransitEvent> answered) {
        CompletableFuture<R> reply;
        try {
            reply = agents.call(host, request, replyType, callMs + state.plan().budgetMs());
        } catch (TomboloException e) {
            reply = CompletableFuture.failedFuture(e);
        }
        var _ = reply.whenComplete((value, failure) -> events
                .add(failure == null ? answered.apply(value) : new TransitEvent.CallFailed(tombolo(failure))));
    }

    private static TomboloException tombolo(Throwable failure) {
        return switch (Errors.unwrap(failure)) {
            case TomboloException known -> known;
            case RemoteException remote -> remote.toTombolo();
            case Throwable other -> TomboloException
                    .error(CoordinatorError.RPC_HANDLER_FAILED, "the migration failed in an unexpected way")
                    .fact("cause", other).next("see the log of the coordinator").cause(other).build();
        };
    }

    @Override
    public Reply.MigrateProgress progress() {
        return state.progress(System.nanoTime());
    }

    @Override
    public void cancel() {
        events.add(new TransitEvent.Cancel());
    }

    @Override
    public void termEnded() {
        events.add(new TransitEvent.TermEnded());
    }

    @Override
    public CompletableFuture<Boolean> ended() {
        return ended;
    }
}
