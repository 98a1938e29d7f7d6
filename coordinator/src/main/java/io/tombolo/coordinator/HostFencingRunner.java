package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.region.HostState;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what [HostFencing] says for one incarnation, on one virtual thread of its own that may block.
final class HostFencingRunner implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(HostFencingRunner.class);

    private final HandoffRunner.Ports ports;
    private final long term;
    private final List<FenceAgentConfig> agents;
    private final Runnable changed;
    private final CompletableFuture<Void> fenced = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile HostFencing.State state;
    private volatile boolean termEnded;
    private HostFencing.Step next;

    /// @param changed called when the slot word may have changed
    HostFencingRunner(HandoffRunner.Ports ports, long term, HostFencing.Plan plan, List<FenceAgentConfig> agents,
            Runnable changed) {
        this.ports = ports;
        this.term = term;
        this.agents = agents;
        this.changed = changed;
        this.next = HostFencing.start(plan, System.nanoTime());
        this.state = next.state();
    }

    HostFencing.State state() {
        return state;
    }

    /// Completes when the slot word is known not to be LIVE.
    CompletableFuture<Void> fenced() {
        return fenced;
    }

    /// Completes when the host is known to have stopped, or the term is over.
    CompletableFuture<Void> ended() {
        return ended;
    }

    void termEnded() {
        termEnded = true;
    }

    @Override
    public void run() {
        try {
            while (!termEnded && next.state().phase() != HostFencing.Phase.DONE) {
                if (next.effects().isEmpty()) {
                    pause();
                    take(new HostFencing.Event.Tick());
                }
                for (HostFencing.Effect effect : next.effects()) {
                    take(perform(effect));
                }
            }
        } catch (RuntimeException e) {
            LOG.error("fencing of {} failed in the coordinator", next.state().plan().host(), e);
        } finally {
            fenced.complete(null);
            ended.complete(null);
            changed.run();
        }
    }

    private void take(HostFencing.Event event) {
        HostFencing.State before = next.state();
        next = HostFencing.step(before, event, System.nanoTime());
        state = next.state();
        if (before.phase() != state.phase() || !before.tried().equals(state.tried())) {
            LOG.info("fencing of host {} (slot {}, incarnation {}): {} {}", state.plan().host(), state.plan().slot(),
                    state.plan().incarnation(), state.phase(), state.tried());
        }
        if (before.fencedNs() == 0 && state.fencedNs() != 0) {
            fenced.complete(null);
            changed.run();
        }
    }

    private void pause() {
        try {
            long ns = state.wakeNs() - System.nanoTime();
            // The term may end meanwhile.
            TimeUnit.NANOSECONDS.sleep(Math.clamp(ns, 0, TimeUnit.MILLISECONDS.toNanos(500)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            termEnded = true;
        }
    }

    private HostFencing.Event perform(HostFencing.Effect effect) {
        HostFencing.Plan plan = state.plan();
        return switch (effect) {
            case HostFencing.Effect.ReadSlot _ -> slot();
            case HostFencing.Effect.SendFence _ ->
                order(new AgentRequest.FenceHost(term, plan.slot(), plan.incarnation()));
            case HostFencing.Effect.SendConfirm(String evidence) -> {
                LOG.warn("host {} (slot {}, incarnation {}) is confirmed stopped: {}", plan.host(), plan.slot(),
                        plan.incarnation(), evidence);
                yield order(new AgentRequest.ConfirmStopped(term, plan.slot(), plan.incarnation(), evidence));
            }
            case HostFencing.Effect.RunAgent(int index) -> {
                HostFencing.Event.SlotRead now = slot();
                boolean still = now.incarnation() == plan.incarnation()
                        && (now.state() == HostState.FENCING || now.state() == HostState.FAILED);
                yield still ? runAgent(index) : now;
            }
        };
    }

    private HostFencing.Event runAgent(int index) {
        LOG.warn("fence agent {} is run for host {}", agents.get(index).name(), state.plan().host());
        HostFencing.Event.AgentEnded end = FenceAgents.off(agents.get(index));
        LOG.warn("fence agent {} for host {}: {}", agents.get(index).name(), state.plan().host(), end.text());
        return end;
    }

    private HostFencing.Event.SlotRead slot() {
        OwnerView.HostSnapshot word = ports.region().host(state.plan().slot());
        return new HostFencing.Event.SlotRead(word.state(), word.incarnation());
    }

    /// Any live host will do; the next one is asked when one does not answer.
    private HostFencing.Event order(AgentRequest request) {
        try {
            for (HostRecord host : ports.membership().hosts()) {
                OwnerView.HostSnapshot word = ports.region().host(host.slot());
                boolean live = word.state() == HostState.LIVE && word.incarnation() == host.incarnation();
                if (host.slot() != state.plan().slot() && live && ordered(host, request)) {
                    return new HostFencing.Event.Ordered(true);
                }
            }
        } catch (TomboloException e) {
            LOG.debug("hosts are not known at the moment", e);
        }
        return new HostFencing.Event.Ordered(false);
    }

    private boolean ordered(HostRecord host, AgentRequest request) {
        try {
            ports.agents().call(host, request, Reply.Ack.class, state.plan().timings().connectMs()).join();
            return true;
        } catch (CompletionException | TomboloException e) {
            LOG.info("{} was not carried out by {}: {}", request, host.name(), Errors.unwrap(e).getMessage());
            return false;
        }
    }
}
