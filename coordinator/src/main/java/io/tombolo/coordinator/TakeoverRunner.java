package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what [TakeoverOrchestration] says for one VM, on one virtual thread of its own that may block.
final class TakeoverRunner implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(TakeoverRunner.class);

    private final HandoffRunner.Ports ports;
    private final long term;
    private final Supplier<TakeoverOrchestration.Event.Looked> look;
    private final Function<TakeoverReport, TakeoverReport> times;
    private final CompletableFuture<TakeoverReport> outcome = new CompletableFuture<>();
    private volatile TakeoverOrchestration.State state;
    private volatile boolean termEnded;
    private TakeoverOrchestration.Step next;

    /// @param look  reads the words and chooses candidates
    /// @param times fills in when the host was fenced
    TakeoverRunner(HandoffRunner.Ports ports, long term, TakeoverOrchestration.Plan plan,
            Supplier<TakeoverOrchestration.Event.Looked> look, Function<TakeoverReport, TakeoverReport> times) {
        this.ports = ports;
        this.term = term;
        this.look = look;
        this.times = times;
        this.next = TakeoverOrchestration.start(plan, System.nanoTime());
        this.state = next.state();
    }

    String vm() {
        return state.plan().spec().name();
    }

    TakeoverReport report() {
        return times.apply(state.report());
    }

    /// The host that was ordered; `""` before.
    String to() {
        return state.to();
    }

    /// Completes with the last report, also when the term is over.
    CompletableFuture<TakeoverReport> outcome() {
        return outcome;
    }

    void termEnded() {
        termEnded = true;
    }

    @Override
    public void run() {
        try {
            while (next.state().phase() != TakeoverOrchestration.Phase.DONE) {
                if (termEnded) {
                    take(new TakeoverOrchestration.Event.TermEnded());
                    break;
                }
                if (next.effects().isEmpty()) {
                    pause();
                    take(new TakeoverOrchestration.Event.Tick());
                }
                for (TakeoverOrchestration.Effect effect : next.effects()) {
                    take(perform(effect));
                }
            }
            finish();
            // A bug here must be seen; the next look at the words starts it anew.
        } catch (RuntimeException e) {
            LOG.error("takeover of {} failed in the coordinator", vm(), e);
        } finally {
            outcome.complete(report());
        }
    }

    private void take(TakeoverOrchestration.Event event) {
        TakeoverOrchestration.State before = next.state();
        next = TakeoverOrchestration.step(before, event, System.nanoTime());
        state = next.state();
        TakeoverReport now = state.report();
        if (before.phase() != state.phase() || !before.report().phase().equals(now.phase())
                || !before.report().reason().equals(now.reason())) {
            LOG.info("takeover of {} from {} to {}: {} {} {} {}", vm(), now.fromHost(), state.to(), state.phase(),
                    now.phase(), now.reason(), now.text());
        }
    }

    private void finish() {
        if (termEnded) {
            return;
        }
        try {
            if (state.report().phase().equals("LOST")) {
                ports.records().lost(term, vm(), state.report().reason(), state.report().text());
            }
            ports.records().reconcile(term, vm(), ports.membership().hosts());
        } catch (TomboloException e) {
            LOG.info("record of {} is brought into line later: {}", vm(), e.getMessage());
        }
    }

    private void pause() {
        try {
            long ns = state.wakeNs() - System.nanoTime();
            TimeUnit.NANOSECONDS.sleep(Math.clamp(ns, 0, TimeUnit.MILLISECONDS.toNanos(500)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            termEnded = true;
        }
    }

    private TakeoverOrchestration.Event perform(TakeoverOrchestration.Effect effect) {
        TakeoverOrchestration.Plan plan = state.plan();
        HandoffTimings timings = plan.timings();
        return switch (effect) {
            case TakeoverOrchestration.Effect.Look _ -> look.get();
            case TakeoverOrchestration.Effect.Order(String host, long epoch) ->
                call(host, new AgentRequest.TakeOver(term, plan.spec(), plan.vmSlot(), epoch),
                        Reply.TakeoverStarted.class, timings.finishMs(),
                        reply -> new TakeoverOrchestration.Event.Started(reply.epoch()),
                        e -> new TakeoverOrchestration.Event.OrderFailed(codeOf(e), e.getMessage()));
            case TakeoverOrchestration.Effect.Ask(String host) ->
                call(host, new AgentRequest.AskTakeover(plan.vmSlot()), Reply.TakeoverState.class, timings.connectMs(),
                        TakeoverOrchestration.Event.Told::new,
                        e -> new TakeoverOrchestration.Event.AskFailed(codeOf(e)));
            case TakeoverOrchestration.Effect.Restart(String host) ->
                call(host, new AgentRequest.RestartVm(term, plan.spec(), plan.vmSlot()), Reply.VmReply.class,
                        timings.prepareMs(), _ -> new TakeoverOrchestration.Event.Restarted(),
                        e -> new TakeoverOrchestration.Event.RestartFailed(codeOf(e), e.getMessage()));
        };
    }

    private static String codeOf(Throwable failure) {
        String code = Errors.codeOf(failure);
        return code.isEmpty() ? CoordinatorError.RPC_HANDLER_FAILED.name() : code;
    }

    private <R extends Reply> TakeoverOrchestration.Event call(String host, AgentRequest request, Class<R> type,
            int timeoutMs, Function<R, TakeoverOrchestration.Event> answered,
            Function<Throwable, TakeoverOrchestration.Event> failed) {
        try {
            return answered.apply(ports.agents().call(host, request, type, timeoutMs).join());
        } catch (CompletionException | TomboloException e) {
            LOG.debug("{} to {}", request, host, e);
            return failed.apply(Errors.unwrap(e));
        }
    }
}
