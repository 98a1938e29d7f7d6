package io.tombolo.chaos.sim;

import io.tombolo.coordinator.HandoffEffect;
import io.tombolo.coordinator.HandoffEvent;
import io.tombolo.coordinator.HandoffOrchestration;
import io.tombolo.coordinator.HandoffSide;
import io.tombolo.coordinator.HandoffState;
import io.tombolo.coordinator.HandoffTimings;
import io.tombolo.coordinator.OwnerSnapshot;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.TomboloException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// A coordinator: the shipped [HandoffOrchestration] behind an edge that does what HandoffRunner and LeaderSession do,
/// with messages of this world. It never stores to the region.
final class SimCoordinator extends SimProcess {
    static final HandoffTimings TIMINGS = new HandoffTimings(10);
    private static final long BEAT_NS = 30_000_000;

    private final World world;
    private final Scheduler.Loop net;
    private final List<Runner> runners = new ArrayList<>();
    private long term = -1;

    SimCoordinator(World world, int number) {
        super("coordinator" + number);
        this.world = world;
        this.net = world.scheduler().new Loop(this, this + "/net");
        world.scheduler().spawn(this, this + "/session", this::beat);
    }

    Scheduler.Loop net() {
        return net;
    }

    private void beat() {
        world.coordination().join(this);
        while (true) {
            world.coordination().heartbeat(this, alive -> {
                if (!alive) {
                    endTerm();
                    world.coordination().join(this);
                }
            });
            world.coordination().lead(this, answer -> answer.ifPresent(this::lead));
            world.scheduler().sleep(BEAT_NS);
        }
    }

    private void lead(long now) {
        if (now < 0) {
            endTerm();
            return;
        }
        if (now != term) {
            endTerm();
            term = now;
            world.trace(() -> this + " leads in term " + now);
        }
        adopt();
    }

    private void adopt() {
        long mine = term;
        world.coordination().intents(this, mine, open -> {
            if (term != mine || open.isEmpty()) {
                return;
            }
            for (IntentRecord intent : open.get()) {
                start(HandoffOrchestration.resume(intent, TIMINGS, world.scheduler().nowNs()));
            }
        });
    }

    private void endTerm() {
        term = -1;
        runners.forEach(runner -> runner.post(new HandoffEvent.TermEnded()));
    }

    private void start(HandoffOrchestration.Step first) {
        if (runners.stream().noneMatch(runner -> !runner.done() && runner.intent().seq() == first.state().intent()
                .seq())) {
            runners.add(new Runner(first));
        }
    }

    /// What a user asks of the leader.
    void migrate(int vm, int toSlot) {
        net.schedule(() -> {
            long word = world.oracle().owner(vm);
            if (term < 0 || !OwnerWord.is(word, OwnerState.RUNNING) || OwnerWord.slot(word) == toSlot) {
                return;
            }
            int from = OwnerWord.slot(word);
            world.coordination().hosts(this, live -> {
                SimHost source = find(live, from);
                SimHost target = find(live, toSlot);
                if (source == null || target == null) {
                    return;
                }
                world.coordination().open(this,
                        new IntentRecord("vm" + vm, vm, "h" + source.number(), from, "h" + target.number(), toSlot,
                                OwnerWord.epoch(word), term, 0, world.freshValue()),
                        opened -> opened.filter(intent -> intent.term() == term).ifPresent(intent -> start(
                                HandoffOrchestration.start(intent, TIMINGS, world.scheduler().nowNs()))));
            });
        }, 0);
    }

    private static SimHost find(Optional<List<SimHost>> live, int slot) {
        return live.orElse(List.of()).stream().filter(host -> host.slot() == slot).findFirst().orElse(null);
    }

    void cancelAll() {
        runners.forEach(runner -> runner.post(new HandoffEvent.CancelAsked()));
    }

    /// One hand-off, on an actor of its own.
    private final class Runner {
        private final Deque<HandoffEvent> events = new ArrayDeque<>();
        private final Scheduler.Actor actor;
        private final long ofTerm = term;
        private HandoffOrchestration.Step next;
        private boolean sourceGone;
        private boolean targetGone;
        private long nextHostCheckNs;

        Runner(HandoffOrchestration.Step first) {
            next = first;
            nextHostCheckNs = world.scheduler().nowNs() + retryNs();
            actor = world.scheduler().spawn(SimCoordinator.this, SimCoordinator.this + "/intent" + intent().seq(),
                    this::work);
        }

        IntentRecord intent() {
            return next.state().intent();
        }

        boolean done() {
            return next.state().phase() == HandoffState.Phase.DONE;
        }

        void post(HandoffEvent event) {
            events.add(event);
            actor.wake();
        }

        private long retryNs() {
            return TimeUnit.MILLISECONDS.toNanos(TIMINGS.retryMs());
        }

        private void work() {
            perform(next.effects());
            while (!done()) {
                HandoffEvent event = nextEvent();
                HandoffState before = next.state();
                next = HandoffOrchestration.step(before, event, world.scheduler().nowNs());
                if (before.phase() != next.state().phase()) {
                    HandoffOrchestration.Step now = next;
                    world.trace(() -> SimCoordinator.this + ": intent " + intent().seq() + ": " + before.phase()
                            + " -> " + now.state().phase() + " at " + event);
                }
                perform(next.effects());
            }
            runners.remove(this);
        }

        private HandoffEvent nextEvent() {
            while (true) {
                if (!events.isEmpty()) {
                    return events.poll();
                }
                long now = world.scheduler().nowNs();
                if (now - nextHostCheckNs >= 0) {
                    nextHostCheckNs = now + retryNs();
                    checkHosts();
                }
                if (now - next.state().wakeNs() >= 0) {
                    return new HandoffEvent.Tick();
                }
                world.scheduler().park(Math.max(1, Math.min(next.state().wakeNs(), nextHostCheckNs) - now));
            }
        }

        private void checkHosts() {
            world.coordination().hosts(SimCoordinator.this, live -> live.ifPresent(hosts -> {
                boolean source = hosts.stream().noneMatch(host -> host.slot() == intent().fromSlot());
                boolean target = hosts.stream().noneMatch(host -> host.slot() == intent().toSlot());
                if (source != sourceGone) {
                    sourceGone = source;
                    post(source
                            ? new HandoffEvent.HostGone(HandoffSide.SOURCE)
                            : new HandoffEvent.HostBack(HandoffSide.SOURCE));
                }
                if (target != targetGone) {
                    targetGone = target;
                    post(target
                            ? new HandoffEvent.HostGone(HandoffSide.TARGET)
                            : new HandoffEvent.HostBack(HandoffSide.TARGET));
                }
            }));
        }

        private void perform(List<HandoffEffect> effects) {
            for (HandoffEffect effect : effects) {
                perform(effect);
            }
        }

        private void perform(HandoffEffect effect) {
            IntentRecord i = intent();
            switch (effect) {
                case HandoffEffect.SendPrepare _ -> call(i.to(),
                        new AgentRequest.PrepareTarget(ofTerm, i.seq(), world.spec(i.vmSlot()), i.vmSlot(), i.epoch(),
                                i.fromSlot(), i.from(), i.nonce()),
                        TIMINGS.prepareMs(), _ -> new HandoffEvent.Prepared(),
                        failure -> new HandoffEvent.PrepareFailed(code(failure), String.valueOf(failure)));
                case HandoffEffect.SendSwitch _ -> call(i.from(),
                        new AgentRequest.SwitchOver(ofTerm, i.seq(), i.vm(), i.vmSlot(), i.epoch(), i.toSlot(), i.to(),
                                "", 0, i.nonce()),
                        TIMINGS.switchMs(), reply -> new HandoffEvent.Switched(((Reply.Switched) reply).report()),
                        failure -> new HandoffEvent.SwitchFailed(code(failure), String.valueOf(failure)));
                case HandoffEffect.ReadOwner(long ticket) -> {
                    world.step(SimCoordinator.this);
                    long word = world.oracle().owner(i.vmSlot());
                    post(new HandoffEvent.OwnerRead(ticket, new OwnerSnapshot(OwnerWord.state(word),
                            OwnerWord.slot(word), OwnerWord.epoch(word))));
                }
                case HandoffEffect.SendCancel(HandoffSide side) -> call(
                        side == HandoffSide.SOURCE ? i.from() : i.to(),
                        new AgentRequest.CancelIntent(ofTerm, i.seq(), i.vm(), i.vmSlot()), TIMINGS.finishMs(),
                        reply -> new HandoffEvent.Cancelled(side, ((Reply.Cancelled) reply).armed()),
                        failure -> new HandoffEvent.CancelFailed(side, code(failure)));
                case HandoffEffect.SendFinish _ -> call(i.from(),
                        new AgentRequest.FinishSource(ofTerm, i.seq(), i.vm(), i.vmSlot(), i.epoch()),
                        TIMINGS.finishMs(), _ -> new HandoffEvent.Finished(),
                        failure -> new HandoffEvent.FinishFailed(code(failure)));
                case HandoffEffect.Close _ -> world.coordination().close(SimCoordinator.this, ofTerm, i,
                        answer -> post(answer.isEmpty()
                                ? new HandoffEvent.CloseFailed("CONNECTION")
                                : answer.get() ? new HandoffEvent.Closed() : new HandoffEvent.TermEnded()));
                case HandoffEffect.Note _,HandoffEffect.Report _ -> {
                }
            }
        }

        private void call(String host, AgentRequest request, long timeoutMs,
                java.util.function.Function<Reply, HandoffEvent> answered,
                java.util.function.Function<Throwable, HandoffEvent> failed) {
            world.network().call(SimCoordinator.this, net, host, request, TimeUnit.MILLISECONDS.toNanos(timeoutMs),
                    (reply, failure) -> post(failure == null ? answered.apply(reply) : failed.apply(failure)));
        }

        private String code(Throwable failure) {
            return failure instanceof TomboloException known ? known.code().name() : "UNREACHABLE";
        }
    }
}
