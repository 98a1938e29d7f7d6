package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.TargetCore.Effect;
import io.tombolo.agent.handoff.TargetCore.Event;
import io.tombolo.agent.handoff.TargetCore.Phase;
import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.IncomingGuest;
import io.tombolo.agent.hypervisor.IncomingPort;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The edge of [TargetCore]: pre-launches a guest, lets its first thread wait in [IncomingVm], and adopts the VM.
///
/// Confined to the VM's control thread.
final class HandoffTarget {
    private static final Logger LOG = LoggerFactory.getLogger(HandoffTarget.class);

    private final HostPorts host;
    private final VmSlot slot;
    private final UUID vm;
    private final HandoffBounds bounds;
    private final Executor control;
    private final Function<IncomingPort, IncomingGuest> launcher;
    private final Adopter adopter;
    private final RunRight runs;
    private final ArrayDeque<Event> queue = new ArrayDeque<>();

    private TargetCore.State state;
    private boolean draining;
    private CompletableFuture<Long> armed = new CompletableFuture<>();
    private CompletableFuture<WindowEnd> window = CompletableFuture.completedFuture(WindowEnd.UNKNOWN);
    private IncomingGuest incoming;
    private IncomingVm waiting;
    private volatile CopyTarget pages;
    private WindowEnd ran = WindowEnd.UNKNOWN;
    private long cancelledSeq;

    /// Told that the VM runs here.
    interface Adopter {
        void adopt(Guest guest, long epoch, Arrival arrival);
    }

    /// How a VM came here: by which intent, and when.
    record Arrival(long intentSeq, WindowEnd end) {
    }

    /// @param launcher pre-launches a guest that waits on the given port; throws what keeps it from doing so
    /// @param runs told the owner word by which this host runs the VM, on the waiting thread, before its first
    /// instruction
    HandoffTarget(HostPorts host, VmSlot slot, UUID vm, HandoffBounds bounds, Executor control,
            Function<IncomingPort, IncomingGuest> launcher, RunRight runs,
            Adopter adopter) {
        this.host = requireNonNull(host, "host is null");
        this.slot = requireNonNull(slot, "slot is null");
        this.vm = requireNonNull(vm, "vm is null");
        this.bounds = requireNonNull(bounds, "bounds is null");
        this.control = requireNonNull(control, "control is null");
        this.launcher = requireNonNull(launcher, "launcher is null");
        this.runs = requireNonNull(runs, "runs is null");
        this.adopter = requireNonNull(adopter, "adopter is null");
        this.state = TargetCore.State.idle(host.self());
    }

    TargetCore.State state() {
        return state;
    }

    /// Prepares for an intent; completes with the intent when armed, exceptionally with the reason otherwise.
    ///
    /// @param copied whether the source sends the VM's local pages; there is room for all of them, or it is refused
    CompletableFuture<Long> prepare(long intentSeq, long epoch, int source, boolean copied) {
        if (state.phase() == Phase.IDLE) {
            armed = new CompletableFuture<>();
            try {
                pages = copied ? takeFrames(intentSeq, epoch) : null;
            } catch (TomboloException e) {
                return CompletableFuture.failedFuture(e);
            }
        }
        CompletableFuture<Long> result = armed;
        if (state.phase() != Phase.IDLE && state.intentSeq() != intentSeq) {
            return CompletableFuture.failedFuture(TomboloException
                    .error(HandoffError.TARGET_BUSY, "this host is prepared for another hand-off of the VM")
                    .fact("intent", intentSeq).fact("preparedFor", state.intentSeq())
                    .next("wait for it to end; 'tombolo vm show' tells").build());
        }
        cancelledSeq = 0;
        feed(new Event.Prepare(intentSeq, epoch, source));
        return result;
    }

    private CopyTarget takeFrames(long intentSeq, long epoch) {
        PageLink link = host.pageLink().orElseThrow(() -> TomboloException
                .error(HandoffError.TARGET_REFUSED, "this host takes no pages").fact("slot", slot.index())
                .next("choose another mode or host").build());
        return CopyTarget.take(link, slot.pageTable(), intentSeq, epoch);
    }

    /// Any thread: where the pages of a VM that is being copied go.
    CopyTarget pages() {
        CopyTarget present = pages;
        if (present == null) {
            throw TomboloException
                    .error(HandoffError.TARGET_REFUSED, "this host is not prepared for pages of the VM")
                    .fact("slot", slot.index()).next("see both agents' logs").build();
        }
        return present;
    }

    /// Any thread: the source has stopped its guest and sent everything; the offer comes next.
    void seal(AgentRequest.SealCopy seal) {
        pages().seal(seal.intentSeq(), seal.epoch());
        control.execute(() -> {
            if (state.phase() == Phase.ARMED) {
                incoming.openWindow(bounds.windowNs());
            }
        });
    }

    private void closePages() {
        CopyTarget present = pages;
        pages = null;
        if (present != null) {
            present.close();
        }
    }

    /// This host leaves the VM: kills a guest that still waits, also one that the VM is offered to, and gives back the
    /// frames, unless the VM has them.
    void abandoned() {
        if (state.phase() == Phase.ARMED) {
            incoming.discard();
        }
        closePages();
    }

    /// Opens a spin window; completes when the guest runs, the window has passed, or at once when this host is not
    /// armed.
    CompletableFuture<WindowEnd> openWindow(long intentSeq, long epoch) {
        CompletableFuture<WindowEnd> result = new CompletableFuture<>();
        if (state.phase() == Phase.ARMED && epoch != state.epoch()) {
            result.complete(WindowEnd.refused("stale epoch: asked=" + epoch + " prepared=" + state.epoch()));
            return result;
        }
        window = result;
        feed(new Event.OpenWindow(intentSeq));
        return result;
    }

    void poll() {
        if (state.phase() == Phase.ARMED) {
            CopyTarget present = pages;
            if (present != null && present.takeAlive()) {
                feed(new Event.SourceSends());
            }
            unlessActing(() -> feed(new Event.Tick(slot.ownerAcquire())));
            if (state.phase() == Phase.ARMED && cancelledSeq == state.intentSeq()) {
                cancel(cancelledSeq);
            }
        }
    }

    /// The leader gives the intent up. It says so once: if the waiting thread acts on an offer just now, or the VM is
    /// offered to this host, that is remembered until it is not so any more.
    void cancel(long intentSeq) {
        cancelledSeq = intentSeq;
        unlessActing(() -> feed(new Event.Cancel(intentSeq, slot.ownerAcquire())));
    }

    /// Nothing is given up while the waiting thread acts on an offer: it would take the VM, and its guest would be
    /// gone.
    private void unlessActing(Runnable look) {
        if (waiting == null) {
            look.run();
        } else if (waiting.callOff()) {
            look.run();
            if (waiting != null) {
                waiting.lookAgain();
            }
        }
    }

    void feed(Event event) {
        queue.add(event);
        if (draining) {
            return;
        }
        draining = true;
        try {
            for (Event next = queue.poll(); next != null; next = queue.poll()) {
                Phase before = state.phase();
                Step<TargetCore.State, Effect> step = TargetCore.step(state, next, host.nowNs(),
                        bounds.preparationNs());
                state = step.state();
                if (before != state.phase()) {
                    LOG.debug("vm slot {}: target {} -> {} on {}", slot.index(), before, state.phase(), next);
                }
                step.effects().forEach(this::carryOut);
            }
        } finally {
            draining = false;
        }
    }

    private void carryOut(Effect effect) {
        switch (effect) {
            case Effect.Prelaunch prelaunch -> prelaunch(prelaunch);
            case Effect.AnswerArmed reply -> armed.complete(reply.intentSeq());
            case Effect.AnswerRefused refused -> {
                if (state.phase() == Phase.IDLE) {
                    closePages();
                }
                window.complete(WindowEnd.refused(refused.reason()));
                armed.completeExceptionally(
                        TomboloException.error(HandoffError.TARGET_REFUSED, "the target cannot take the VM")
                                .fact("reason", refused.reason()).fact("intent", refused.intentSeq())
                                .next("see the target agent's log").build());
            }
            case Effect.Spin _ -> incoming.openWindow(bounds.windowNs());
            case Effect.Discard discard -> {
                LOG.info("vm slot {}: prepared guest discarded: {}", slot.index(), discard.reason());
                window.complete(WindowEnd.refused(discard.reason()));
                incoming.discard();
                waiting = null;
                closePages();
                clearMark();
            }
            case Effect.Adopt adopt -> {
                clearMark();
                slot.gate().open();
                if (pages != null) {
                    pages.adopted();
                    pages = null;
                }
                adopter.adopt(incoming.guest(), adopt.epoch(), new Arrival(state.intentSeq(), ran));
            }
        }
    }

    private void prelaunch(Effect.Prelaunch prelaunch) {
        waiting = new IncomingVm(slot, vm, host, prelaunch.epoch(), pages, new IncomingVm.Listener() {
            @Override
            public void owns(long word, int closings) {
                runs.set(word, closings);
            }

            @Override
            public void spinning() {
                slot.spinRelease(ArmedWord.pack(prelaunch.intentSeq(), host.self(), prelaunch.epoch()));
                host.at(HandoffPoint.TARGET_SPINNING);
            }

            @Override
            public void running(long word, long seenNs, long runningNs, long firstInstructionNs) {
                control.execute(() -> {
                    ran = new WindowEnd(true, seenNs, runningNs, firstInstructionNs, 0, "");
                    // Adopted first: who hears of the end of the window may order the next thing at once.
                    feed(new Event.Running(word));
                    window.complete(ran);
                });
            }

            @Override
            public void windowPassed() {
                control.execute(() -> {
                    clearMark();
                    window.complete(WindowEnd.PASSED);
                });
            }

            @Override
            public void refused(String reason) {
                control.execute(() -> feed(new Event.Refused(reason)));
            }
        });
        try {
            incoming = launcher.apply(waiting);
        } catch (TomboloException e) {
            LOG.warn("vm slot {}: cannot prepare: {}", slot.index(), e.getMessage());
            armed.completeExceptionally(e);
            feed(new Event.PrelaunchFailed(e.getMessage()));
            return;
        }
        host.at(HandoffPoint.TARGET_PREPARED);
        feed(new Event.Prelaunched());
    }

    private void clearMark() {
        long mark = slot.spinAcquire();
        if (ArmedWord.target(mark) == host.self()) {
            slot.spinRelease(ArmedWord.NONE);
        }
    }
}
