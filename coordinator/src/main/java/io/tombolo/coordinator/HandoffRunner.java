package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CopyReport;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what [HandoffOrchestration] says, for one intent, on one thread of its own: events go into a queue,
/// effects are carried out one after the other, answers of agents come back as events.
final class HandoffRunner implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(HandoffRunner.class);

    private final Ports ports;
    private final long term;
    private final Optional<Copy> copy;
    private volatile CopyReport copied = CopyReport.UNKNOWN;
    private final HandoffHosts hosts;
    private final BlockingQueue<HandoffEvent> events = new LinkedBlockingQueue<>();
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private HandoffOrchestration.Step next;
    private long nextHostCheckNs;
    private volatile Outcome last;

    /// Everything a runner talks to.
    record Ports(AgentLinks agents, Membership membership, LeaderWrites writes, OwnerView region, VmRecords records) {
    }

    /// What the caller of a migration is told.
    record Outcome(HandoffResult result, Optional<HandoffReport> report) {
    }

    /// How the source of a copy is to send its pages.
    ///
    /// @param downtimeMs longest time for what is sent with the guest stopped
    /// @param timeMs     longest time for the rounds before
    record Copy(int downtimeMs, int timeMs) {
        long longestNs() {
            // The last round may take longer than was reckoned; the source gives it up after a bound of its own.
            return TimeUnit.MILLISECONDS.toNanos(timeMs + 10L * downtimeMs + 10_000);
        }
    }

    private HandoffRunner(Ports ports, long term, HandoffOrchestration.Step first, Optional<Copy> copy) {
        this.copy = copy;
        this.ports = ports;
        this.term = term;
        this.next = first;
        this.hosts = new HandoffHosts(first.state().intent());
        this.nextHostCheckNs = System.nanoTime() + retryNs();
    }

    static HandoffRunner start(Ports ports, long term, IntentRecord intent, HandoffTimings timings) {
        return new HandoffRunner(ports, term, HandoffOrchestration.start(intent, timings, System.nanoTime()),
                Optional.empty());
    }

    /// Of a VM whose local pages are sent by its source.
    static HandoffRunner start(Ports ports, long term, IntentRecord intent, HandoffTimings timings, Copy copy) {
        return new HandoffRunner(ports, term,
                HandoffOrchestration.start(intent, timings, copy.longestNs(), System.nanoTime()), Optional.of(copy));
    }

    static HandoffRunner resume(Ports ports, long term, IntentRecord intent, HandoffTimings timings) {
        return new HandoffRunner(ports, term, HandoffOrchestration.resume(intent, timings, System.nanoTime()),
                Optional.empty());
    }

    IntentRecord intent() {
        return next.state().intent();
    }

    /// What the pages of a copy cost; unknown until the source has said so.
    CopyReport copied() {
        return copied;
    }

    /// Completes when the caller can be told, which may be before the intent is closed.
    CompletableFuture<Outcome> outcome() {
        return outcome;
    }

    /// Tells the caller the end, once nothing is in the way of the VM's next hand-off.
    void ended() {
        if (last != null) {
            outcome.complete(last);
        }
    }

    /// Ends the hand-off with the VM at its source, unless it is too late for that.
    void cancel() {
        events.add(new HandoffEvent.CancelAsked());
    }

    /// The term is over: nothing more is ordered or written.
    void termEnded() {
        events.add(new HandoffEvent.TermEnded());
    }

    @Override
    public void run() {
        try {
            perform(next.effects());
            while (next.state().phase() != HandoffState.Phase.DONE) {
                HandoffEvent event = nextEvent();
                HandoffState before = next.state();
                next = HandoffOrchestration.step(before, event, System.nanoTime());
                if (before.phase() != next.state().phase()) {
                    LOG.debug("intent {} of {}: {} -> {} at {}", intent().seq(), intent().vm(), before.phase(),
                            next.state().phase(), event);
                }
                perform(next.effects());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            outcome.completeExceptionally(e);
            // A bug here must reach the caller; the intent stays open and the next reconciliation resumes it.
        } catch (RuntimeException e) {
            if (e instanceof TomboloException known && known.code() == CoordinatorError.ZOOKEEPER_UNREACHABLE) {
                LOG.warn("hand-off of {} (intent {}) is left to whoever leads when ZooKeeper is back: {}",
                        intent().vm(), intent().seq(), known.getMessage());
            } else {
                LOG.error("hand-off of {} (intent {}) failed in the coordinator", intent().vm(), intent().seq(), e);
            }
            outcome.completeExceptionally(e);
        }
    }

    private long retryNs() {
        return TimeUnit.MILLISECONDS.toNanos(next.state().timings().retryMs());
    }

    private HandoffEvent nextEvent() throws InterruptedException {
        while (true) {
            long nowNs = System.nanoTime();
            long waitNs = Math.min(next.state().wakeNs() - nowNs, nextHostCheckNs - nowNs);
            HandoffEvent event = events.poll(Math.max(0, waitNs), TimeUnit.NANOSECONDS);
            if (event != null) {
                return event;
            }
            if (System.nanoTime() - nextHostCheckNs >= 0) {
                checkHosts();
            }
            if (System.nanoTime() - next.state().wakeNs() >= 0 && events.isEmpty()) {
                return new HandoffEvent.Tick();
            }
        }
    }

    private void checkHosts() {
        nextHostCheckNs = System.nanoTime() + retryNs();
        try {
            events.addAll(hosts.look(ports.membership().hosts()));
        } catch (TomboloException e) {
            LOG.debug("hosts are not known at the moment", e);
        }
    }

    private void perform(List<HandoffEffect> effects) {
        for (HandoffEffect effect : effects) {
            switch (effect) {
                case HandoffEffect.SendPrepare _ -> sendPrepare();
                case HandoffEffect.SendSwitch _ -> sendSwitch();
                case HandoffEffect.ReadOwner(long ticket) ->
                    events.add(new HandoffEvent.OwnerRead(ticket, ports.region().owner(intent().vmSlot())));
                case HandoffEffect.SendCancel(HandoffSide side) -> sendCancel(side);
                case HandoffEffect.SendFinish _ -> sendFinish();
                case HandoffEffect.Close close -> close(close);
                case HandoffEffect.Note(String reason) -> note(reason);
                case HandoffEffect.Report(HandoffResult result, Optional<HandoffReport> report) -> {
                    last = new Outcome(result, report);
                    if (next.state().phase() != HandoffState.Phase.DONE) {
                        outcome.complete(last);
                    }
                }
            }
        }
    }

    private <R extends Reply> void call(String host, AgentRequest request, Class<R> replyType, long timeoutMs,
            Function<R, HandoffEvent> answered,
            Function<Throwable, HandoffEvent> failed) {
        CompletableFuture<R> reply;
        try {
            reply = ports.agents().call(host, request, replyType, timeoutMs);
        } catch (TomboloException e) {
            reply = CompletableFuture.failedFuture(e);
        }
        var _ = reply.whenComplete((value, failure) -> {
            if (failure != null) {
                LOG.debug("intent {} of {}: {} to {}: {}", intent().seq(), intent().vm(),
                        request.getClass().getSimpleName(), host, Errors.unwrap(failure).toString());
            }
            events.add(failure == null ? answered.apply(value) : failed.apply(failure));
        });
    }

    private static String codeOf(Throwable failure) {
        String code = Errors.codeOf(failure);
        return code.isEmpty() ? CoordinatorError.RPC_HANDLER_FAILED.name() : code;
    }

    private void sendPrepare() {
        IntentRecord i = intent();
        Optional<Versioned<VmRecord>> vm = ports.writes().vm(i.vm());
        if (vm.isEmpty()) {
            events.add(new HandoffEvent.PrepareFailed(CoordinatorError.VM_UNKNOWN.name(), "the VM's record is gone"));
            return;
        }
        VmSpec spec = vm.get().value().spec();
        call(i.to(),
                copy.isPresent()
                        ? new AgentRequest.PrepareCopy(term, i.seq(), spec, i.vmSlot(), i.epoch(), i.fromSlot(),
                                i.from(), i.nonce())
                        : new AgentRequest.PrepareTarget(term, i.seq(), spec, i.vmSlot(), i.epoch(), i.fromSlot(),
                                i.from(), i.nonce()),
                Reply.Prepared.class, next.state().timings().prepareMs(), _ -> new HandoffEvent.Prepared(),
                failure -> new HandoffEvent.PrepareFailed(codeOf(failure), Errors.unwrap(failure).getMessage()));
    }

    private void sendSwitch() {
        IntentRecord i = intent();
        Optional<HostRecord> target = ports.membership().host(i.to()).filter(host -> host.slot() == i.toSlot());
        if (target.isEmpty()) {
            events.add(new HandoffEvent.SwitchFailed(CoordinatorError.HOST_DEAD.name(), "the target left ZooKeeper"));
            return;
        }
        if (copy.isPresent()) {
            sendSwitchCopy(i, target.get(), copy.get());
            return;
        }
        call(i.from(),
                new AgentRequest.SwitchOver(term, i.seq(), i.vm(), i.vmSlot(), i.epoch(), i.toSlot(), i.to(),
                        target.get().address(), target.get().port(), i.nonce()),
                Reply.Switched.class, next.state().timings().switchMs(),
                reply -> new HandoffEvent.Switched(reply.report()),
                failure -> new HandoffEvent.SwitchFailed(codeOf(failure), Errors.unwrap(failure).getMessage()));
    }

    private void sendSwitchCopy(IntentRecord i, HostRecord target, Copy how) {
        long timeoutMs = next.state().timings().switchMs() + TimeUnit.NANOSECONDS.toMillis(how.longestNs());
        call(i.from(),
                new AgentRequest.SwitchCopy(term, i.seq(), i.vm(), i.vmSlot(), i.epoch(), i.toSlot(), i.to(),
                        target.address(), target.port(), i.nonce(), how.downtimeMs(), how.timeMs()),
                Reply.CopySwitched.class, timeoutMs, reply -> {
                    copied = reply.copy();
                    return new HandoffEvent.Switched(reply.report());
                }, failure -> new HandoffEvent.SwitchFailed(codeOf(failure), Errors.unwrap(failure).getMessage()));
    }

    private void sendCancel(HandoffSide side) {
        IntentRecord i = intent();
        call(side == HandoffSide.SOURCE ? i.from() : i.to(),
                new AgentRequest.CancelIntent(term, i.seq(), i.vm(), i.vmSlot()), Reply.Cancelled.class,
                next.state().timings().finishMs(), reply -> new HandoffEvent.Cancelled(side, reply.armed()),
                failure -> new HandoffEvent.CancelFailed(side, codeOf(failure)));
    }

    private void sendFinish() {
        IntentRecord i = intent();
        call(i.from(), new AgentRequest.FinishSource(term, i.seq(), i.vm(), i.vmSlot(), i.epoch()), Reply.Ack.class,
                next.state().timings().finishMs(), _ -> new HandoffEvent.Finished(),
                failure -> new HandoffEvent.FinishFailed(codeOf(failure)));
    }

    private void close(HandoffEffect.Close close) {
        try {
            ports.records().closeIntent(term, intent(), close);
            events.add(new HandoffEvent.Closed());
        } catch (TomboloException e) {
            LOG.debug("intent {} of {} not closed yet", intent().seq(), intent().vm(), e);
            events.add(e.code() == CoordinatorError.TERM_ENDED
                    ? new HandoffEvent.TermEnded()
                    : new HandoffEvent.CloseFailed(e.code().name()));
        }
    }

    private void note(String reason) {
        try {
            ports.records().note(term, intent().vm(), reason);
        } catch (TomboloException e) {
            // The same reason is written when the intent is closed, and by every reconciliation.
            LOG.info("reason {} of {} not written: {}", reason, intent().vm(), e.getMessage());
        }
    }
}
