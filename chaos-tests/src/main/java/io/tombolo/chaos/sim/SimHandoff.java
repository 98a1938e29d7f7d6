package io.tombolo.chaos.sim;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.HandoffEffect;
import io.tombolo.coordinator.HandoffEvent;
import io.tombolo.coordinator.HandoffHosts;
import io.tombolo.coordinator.HandoffOrchestration;
import io.tombolo.coordinator.HandoffResult;
import io.tombolo.coordinator.HandoffSide;
import io.tombolo.coordinator.HandoffState;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.region.TomboloException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// One hand-off, after the coordinator's HandoffRunner: the shipped [HandoffOrchestration], and what it says is done
/// one after the other on one actor.
final class SimHandoff {
    private final World world;
    private final SimCoordinator coordinator;
    private final long term;
    private final HandoffHosts hosts;
    private final Deque<HandoffEvent> events = new ArrayDeque<>();
    private HandoffOrchestration.Step next;
    private Scheduler.Actor actor;
    private Scheduler.Actor waiter;
    private HandoffResult result;
    private Optional<HandoffReport> report = Optional.empty();
    private TomboloException failure;
    private boolean over;
    private long nextHostCheckNs;

    SimHandoff(World world, SimCoordinator coordinator, long term, HandoffOrchestration.Step first) {
        this.world = world;
        this.coordinator = coordinator;
        this.term = term;
        this.next = first;
        this.hosts = new HandoffHosts(intent());
        this.nextHostCheckNs = world.scheduler().nowNs() + hostCheckNs();
    }

    IntentRecord intent() {
        return next.state().intent();
    }

    /// @param ended called when nothing more is done for it
    void start(Runnable ended) {
        actor = world.scheduler().spawn(coordinator, coordinator + "/intent" + intent().seq(), () -> {
            try {
                work();
            } catch (TomboloException e) {
                world.trace(() -> coordinator + ": intent " + intent().seq() + " is left: " + e.getMessage());
                failure = e;
            } finally {
                over = true;
                ended.run();
                tell();
            }
        });
    }

    /// Blocks the current actor until its caller can be told the end.
    ///
    /// @return what its source says that it cost, if it said so
    /// @throws TomboloException if the target does not run the VM
    Optional<HandoffReport> await() {
        waiter = world.scheduler().current();
        while (!over && result == null) {
            world.scheduler().parkForever();
        }
        if (result == null) {
            throw failure == null ? SimLeader.refused(CoordinatorError.TERM_ENDED, intent().vm()) : failure;
        }
        if (!result.succeeded()) {
            throw SimLeader.refused(CoordinatorError.valueOf(result.code()), intent().vm());
        }
        return report;
    }

    private void tell() {
        if (waiter != null) {
            waiter.wake();
        }
    }

    void cancel() {
        post(new HandoffEvent.CancelAsked());
    }

    void termEnded() {
        post(new HandoffEvent.TermEnded());
    }

    private void post(HandoffEvent event) {
        events.add(event);
        if (actor != null) {
            actor.wake();
        }
    }

    /// The coordinator's base figure is a quarter of a session, and hosts have the session.
    private static long hostCheckNs() {
        return TimeUnit.MILLISECONDS.toNanos(SimHost.TIMINGS.sessionMs() / 4);
    }

    private void work() {
        perform(next.effects());
        while (next.state().phase() != HandoffState.Phase.DONE) {
            HandoffEvent event = nextEvent();
            HandoffState before = next.state();
            next = HandoffOrchestration.step(before, event, world.scheduler().nowNs());
            if (before.phase() != next.state().phase()) {
                HandoffOrchestration.Step now = next;
                world.trace(() -> coordinator + ": intent " + intent().seq() + ": " + before.phase() + " -> "
                        + now.state().phase() + " at " + event);
            }
            perform(next.effects());
        }
    }

    private HandoffEvent nextEvent() {
        while (true) {
            if (!events.isEmpty()) {
                return events.poll();
            }
            long now = world.scheduler().nowNs();
            if (now - nextHostCheckNs >= 0) {
                checkHosts();
            } else if (now - next.state().wakeNs() >= 0) {
                return new HandoffEvent.Tick();
            } else {
                world.scheduler().park(Math.min(next.state().wakeNs(), nextHostCheckNs) - now);
            }
        }
    }

    private void checkHosts() {
        nextHostCheckNs = world.scheduler().nowNs() + hostCheckNs();
        try {
            events.addAll(hosts.look(coordinator.membership().hosts()));
        } catch (TomboloException e) {
            world.trace(() -> coordinator + ": hosts are not known at the moment: " + e.getMessage());
        }
    }

    private void perform(List<HandoffEffect> effects) {
        for (HandoffEffect effect : effects) {
            switch (effect) {
                case HandoffEffect.SendPrepare _ -> sendPrepare();
                case HandoffEffect.SendSwitch _ -> sendSwitch();
                case HandoffEffect.ReadOwner(long ticket) ->
                    events.add(new HandoffEvent.OwnerRead(ticket, coordinator.region().owner(intent().vmSlot())));
                case HandoffEffect.SendCancel(HandoffSide side) -> sendCancel(side);
                case HandoffEffect.SendFinish _ -> sendFinish();
                case HandoffEffect.Close close -> close(close);
                case HandoffEffect.Note(String reason) -> note(reason);
                case HandoffEffect.Report(HandoffResult told, Optional<HandoffReport> measured) -> {
                    result = told;
                    report = measured;
                    tell();
                }
            }
        }
    }

    private void call(String host, AgentRequest request, long timeoutMs, Function<Reply, HandoffEvent> answered,
            Function<Throwable, HandoffEvent> failed) {
        coordinator.call(host, request, timeoutMs,
                (reply, failure) -> post(failure == null ? answered.apply(reply) : failed.apply(failure)));
    }

    private static String code(Throwable failure) {
        return failure instanceof TomboloException known ? known.code().name() : CoordinatorError.RPC_TIMEOUT.name();
    }

    private void sendPrepare() {
        IntentRecord i = intent();
        Optional<Versioned<VmRecord>> vm = coordinator.writes().vm(i.vm());
        if (vm.isEmpty()) {
            events.add(new HandoffEvent.PrepareFailed(CoordinatorError.VM_UNKNOWN.name(), "the VM's record is gone"));
            return;
        }
        call(i.to(),
                new AgentRequest.PrepareTarget(term, i.seq(), vm.get().value().spec(), i.vmSlot(), i.epoch(),
                        i.fromSlot(), i.from(), i.nonce()),
                SimCoordinator.TIMINGS.prepareMs(), _ -> new HandoffEvent.Prepared(),
                failure -> new HandoffEvent.PrepareFailed(code(failure), String.valueOf(failure)));
    }

    private void sendSwitch() {
        IntentRecord i = intent();
        Optional<HostRecord> target = coordinator.membership().host(i.to()).filter(host -> host.slot() == i.toSlot());
        if (target.isEmpty()) {
            events.add(new HandoffEvent.SwitchFailed(CoordinatorError.HOST_DEAD.name(), "the target left"));
            return;
        }
        call(i.from(),
                new AgentRequest.SwitchOver(term, i.seq(), i.vm(), i.vmSlot(), i.epoch(), i.toSlot(), i.to(),
                        target.get().address(), target.get().port(), i.nonce()),
                SimCoordinator.TIMINGS.switchMs(),
                reply -> new HandoffEvent.Switched(((Reply.Switched) reply).report()),
                failure -> new HandoffEvent.SwitchFailed(code(failure), String.valueOf(failure)));
    }

    private void sendCancel(HandoffSide side) {
        IntentRecord i = intent();
        call(side == HandoffSide.SOURCE ? i.from() : i.to(),
                new AgentRequest.CancelIntent(term, i.seq(), i.vm(), i.vmSlot()), SimCoordinator.TIMINGS.finishMs(),
                reply -> new HandoffEvent.Cancelled(side, ((Reply.Cancelled) reply).armed()),
                failure -> new HandoffEvent.CancelFailed(side, code(failure)));
    }

    private void sendFinish() {
        IntentRecord i = intent();
        call(i.from(), new AgentRequest.FinishSource(term, i.seq(), i.vm(), i.vmSlot(), i.epoch()),
                SimCoordinator.TIMINGS.finishMs(), _ -> new HandoffEvent.Finished(),
                failure -> new HandoffEvent.FinishFailed(code(failure)));
    }

    private void close(HandoffEffect.Close close) {
        try {
            coordinator.records().closeIntent(term, intent(), close);
            events.add(new HandoffEvent.Closed());
        } catch (TomboloException e) {
            world.trace(() -> coordinator + ": intent " + intent().seq() + " not closed yet: " + e.getMessage());
            events.add(e.code() == CoordinatorError.TERM_ENDED
                    ? new HandoffEvent.TermEnded()
                    : new HandoffEvent.CloseFailed(e.code().name()));
        }
    }

    private void note(String reason) {
        try {
            coordinator.records().note(term, intent().vm(), reason);
        } catch (TomboloException e) {
            world.trace(() -> coordinator + ": reason not written: " + e.getMessage());
        }
    }
}
