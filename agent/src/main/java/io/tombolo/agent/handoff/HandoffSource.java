package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.CopySource.CopyLimits;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.SourceCore.Effect;
import io.tombolo.agent.handoff.SourceCore.Event;
import io.tombolo.agent.handoff.SourceCore.Outcome;
import io.tombolo.agent.handoff.SourceCore.Phase;
import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.OfferResult;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.FromWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.VmSlot;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The edge of [SourceCore]: carries its effects out on the guest, the region and the target's agent.
///
/// Confined to the VM's control thread, except the [SlotOffer] that the thread that stops the last vCPU uses while
/// the control thread waits in [Guest#offer].
final class HandoffSource {
    private static final Logger LOG = LoggerFactory.getLogger(HandoffSource.class);

    private final HostPorts host;
    private final VmSlot slot;
    private final UUID vm;
    private final Guest guest;
    private final HandoffBounds bounds;
    private final Executor control;
    private final LongConsumer runsAt;
    private final Runnable gone;
    private final Runnable polls;
    private final ArrayDeque<Event> queue = new ArrayDeque<>();

    private SourceCore.State state;
    private boolean draining;
    private Optional<CopyLimits> copyLimits = Optional.empty();
    private volatile CopySource copy;
    private Peer peer;
    private CompletableFuture<SourceReport> answer;
    private OfferResult offer = OfferResult.failed(true, "");
    private CompletableFuture<WindowEnd> window = CompletableFuture.completedFuture(WindowEnd.UNKNOWN);
    private long orderedNs;
    private long orderedEpoch;
    private long windowNs;

    /// @param control the VM's control thread; late completions come back through it
    /// @param runsAt told the epoch at which the guest may run from now on, before it runs
    /// @param gone told that the guest has been reaped because the VM is not ours any more
    /// @param polls begins to call [#poll] again, after a copy, while which there is nothing to look at
    HandoffSource(HostPorts host, VmSlot slot, UUID vm, Guest guest, HandoffBounds bounds, long epoch, Executor control,
            LongConsumer runsAt, Runnable gone, Runnable polls) {
        this.polls = requireNonNull(polls, "polls is null");
        this.host = requireNonNull(host, "host is null");
        this.slot = requireNonNull(slot, "slot is null");
        this.vm = requireNonNull(vm, "vm is null");
        this.guest = requireNonNull(guest, "guest is null");
        this.bounds = requireNonNull(bounds, "bounds is null");
        this.control = requireNonNull(control, "control is null");
        this.runsAt = requireNonNull(runsAt, "runsAt is null");
        this.gone = requireNonNull(gone, "gone is null");
        this.state = SourceCore.State.running(host.self(), epoch);
    }

    SourceCore.State state() {
        return state;
    }

    /// Serves the leader's order; completes when the VM is handed over, stays, or came back.
    ///
    /// @param limits of sending its pages first; empty: its pages stay where they are
    CompletableFuture<SourceReport> order(long intentSeq, long epoch, Peer target, long nonce,
            Optional<CopyLimits> limits) {
        if (state.phase() != Phase.IDLE && state.intentSeq() == intentSeq) {
            return answer;
        }
        CompletableFuture<SourceReport> result = new CompletableFuture<>();
        if (state.phase() == Phase.IDLE) {
            long echo = slot.echoAcquire();
            if (echo != nonce) {
                // The target stored the nonce when it prepared. Not seeing it means that it maps other memory (a copied
                // file, another mount), where its CAS would decide nothing here.
                result.complete(SourceReport.of(Outcome.REFUSED,
                        "the target does not map the same memory: the VM's echo word is "
                                + Long.toHexString(echo) + ", expected " + Long.toHexString(nonce)));
                return result;
            }
            if (limits.isPresent() && (host.pageLink().isEmpty() || guest.pages().isEmpty())) {
                result.complete(SourceReport.of(Outcome.REFUSED, "the pages of this VM cannot be sent"));
                return result;
            }
            copyLimits = limits;
            copy = null;
            peer = target;
            answer = result;
            orderedNs = host.nowNs();
            orderedEpoch = epoch;
            offer = OfferResult.failed(true, "");
            feed(new Event.Order(intentSeq, epoch, target.slot(), limits.isPresent()));
            return result;
        }
        result.complete(SourceReport.of(Outcome.REFUSED, "another hand-off is under way: intent=" + state.intentSeq()));
        return result;
    }

    /// Looks at the words and the clock; called every [HandoffBounds#pollNs] while [#waiting].
    void poll() {
        if (state.phase() == Phase.WINDOW
                && slot.spinAcquire() == ArmedWord.pack(state.intentSeq(), state.target(), state.epoch())
                && drained()) {
            long local = slot.localPagesAcquire();
            feed(local == 0
                    ? new Event.TargetSpins(state.intentSeq())
                    : new Event.WindowRefused(state.intentSeq(), local + " pages are in this host's own memory"));
        }
        if (state.phase() == Phase.OFFERED) {
            feed(new Event.OwnerSeen(slot.ownerAcquire()));
        }
        feed(new Event.Tick());
    }

    /// No page of the VM is being moved, and nobody is about to.
    private boolean drained() {
        Optional<VmPages> pages = guest.pages();
        return pages.isPresent() ? pages.get().drained() : slot.gate().drained();
    }

    boolean waiting() {
        return state.phase() == Phase.WINDOW || state.phase() == Phase.OFFERED;
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
                Step<SourceCore.State, Effect> step = SourceCore.step(state, next, host.nowNs(), bounds.source());
                state = step.state();
                if (before != state.phase()) {
                    LOG.debug("vm slot {}: source {} -> {} on {}", slot.index(), before, state.phase(), next);
                }
                step.effects().forEach(this::carryOut);
            }
        } finally {
            draining = false;
        }
    }

    private void carryOut(Effect effect) {
        switch (effect) {
            case Effect.WriteArmed armed -> {
                host.at(HandoffPoint.SOURCE_ORDERED);
                // Page moves that are in flight end while the guest still runs; see #poll.
                slot.gate().close();
                // For verify and for people: what is decided rests on this source's state and on the epoch.
                slot.armedRelease(ArmedWord.pack(armed.intentSeq(), armed.target(), state.epoch()));
                host.at(HandoffPoint.SOURCE_MARKED);
            }
            case Effect.ClearArmed _ -> {
                slot.armedRelease(ArmedWord.NONE);
                slot.gate().open();
            }
            case Effect.OpenWindow open -> openWindow(open);
            case Effect.BeginCopy begin -> beginCopy(begin);
            case Effect.EndCopy _ -> copy.end();
            case Effect.Quiesce quiesce -> quiesce(quiesce);
            case Effect.Resume resume -> {
                runsAt.accept(resume.epoch());
                guest.reclaim();
                guest.run();
            }
            case Effect.TakeBack back -> {
                boolean won = slot.compareAndSetOwner(back.expect(),
                        OwnerWord.pack(OwnerState.RUNNING, state.self(), back.epoch()));
                LOG.info("vm slot {}: take-back from {} {}", slot.index(), OwnerWord.describe(back.expect()),
                        won ? "won" : "lost");
                feed(new Event.OwnerSeen(slot.ownerAcquire()));
            }
            case Effect.Reap _ -> {
                host.at(HandoffPoint.SOURCE_SEEN_RUNNING);
                guest.kill();
                if (copy != null) {
                    copy.giveFramesBack();
                }
                gone.run();
                host.at(HandoffPoint.SOURCE_REAPED);
            }
            case Effect.Answer reply -> answer(reply);
        }
    }

    private void openWindow(Effect.OpenWindow open) {
        window = askTarget(open.intentSeq(), open.epoch());
        var _ = window.whenComplete((end, error) -> {
            if (error != null) {
                LOG.warn("vm slot {}: target {} could not be asked to spin: {}", slot.index(), peer.host(),
                        error.toString());
                control.execute(() -> feed(new Event.WindowRefused(open.intentSeq(), error.toString())));
            } else if (end.passed()) {
                control.execute(() -> feed(new Event.WindowPassed(open.intentSeq())));
            } else if (!end.ran()) {
                control.execute(() -> feed(new Event.WindowRefused(open.intentSeq(), end.reason())));
            }
        });
    }

    private CompletableFuture<WindowEnd> askTarget(long intentSeq, long epoch) {
        return host.openWindow(peer, intentSeq, slot.index(), epoch, bounds.windowNs());
    }

    private void quiesce(Effect.Quiesce quiesce) {
        windowNs = host.nowNs();
        // Written before the vCPUs stop; it gives a right only once the word holds epoch + 1.
        slot.fromRelease(FromWord.pack(state.self(), quiesce.epoch() + 1));
        host.at(HandoffPoint.SOURCE_STOPPING);
        SlotOffer port = new SlotOffer(slot, vm, host, quiesce.epoch(), quiesce.target());
        offer = copyLimits.isPresent() ? offerCopied(port, quiesce.epoch()) : guest.offer(port);
        switch (offer.outcome()) {
            case OFFERED -> feed(new Event.OfferWon(
                    OwnerWord.pack(OwnerState.OFFERED, quiesce.target(), quiesce.epoch() + 1)));
            case CAS_LOST -> feed(new Event.OfferLost(slot.ownerAcquire()));
            case FAILED_STOPPED -> feed(new Event.SaveFailed(offer.reason(), true));
            case FAILED_RUNNING -> feed(new Event.SaveFailed(offer.reason(), false));
        }
    }

    private void beginCopy(Effect.BeginCopy begin) {
        // What the target measures is asked for when it runs: its window is opened by the last of the pages.
        window = CompletableFuture.completedFuture(WindowEnd.PASSED);
        copy = new CopySource(host, host.pageLink().orElseThrow(), guest.pages().orElseThrow(), peer,
                begin.intentSeq(), begin.epoch(), copyLimits.orElseThrow(),
                event -> control.execute(() -> {
                    feed(event);
                    polls.run();
                }));
        copy.start();
    }

    /// The last pages are sent on this thread, which stores to the region only after that and is checked like any that
    /// does.
    private OfferResult offerCopied(SlotOffer port, long epoch) {
        long running = OwnerWord.pack(OwnerState.RUNNING, state.self(), epoch);
        try (CheckBoard.Checker checker = host.board().register("copy from vm slot " + slot.index(),
                () -> slot.ownerAcquire() == running)) {
            OfferResult result = guest.offerAfter(() -> checker.start() && copy.sendRest(checker), port);
            return result.reason().isEmpty() && result.outcome() != OfferResult.Outcome.OFFERED
                    ? OfferResult.failed(false, copy.outcome().reason())
                    : result;
        }
    }

    /// Any thread: what is being sent for an intent, if anything.
    Optional<CopySource> copy(long intentSeq) {
        CopySource present = copy;
        return present != null && present.intentSeq() == intentSeq ? Optional.of(present) : Optional.empty();
    }

    /// The guest has been killed because this host leaves the VM: gives back what its new owner has copies of.
    void abandoned() {
        CopySource present = copy;
        if (present != null) {
            present.end();
            long word = slot.ownerAcquire();
            if (OwnerWord.slot(word) != state.self()
                    && (OwnerWord.is(word, OwnerState.RUNNING) || OwnerWord.is(word, OwnerState.PAUSED))) {
                present.giveFramesBack();
            }
        }
    }

    private void answer(Effect.Answer reply) {
        CompletableFuture<SourceReport> to = answer;
        if (to == null || to.isDone()) {
            return;
        }
        CopySource.Outcome sent = copy == null ? CopySource.Outcome.NONE : copy.outcome();
        SourceReport report = new SourceReport(reply.outcome(), reply.reason(), orderedNs, windowNs, offer,
                WindowEnd.UNKNOWN, OwnerWord.epoch(slot.ownerAcquire()), sent.report(), sent.code());
        if (reply.outcome() != Outcome.HANDED_OVER) {
            to.complete(report);
            return;
        }
        // A window that had passed when the offer came said so; the target tells its readings to whoever asks again.
        // The VM runs there, whatever becomes of this answer: without the target's clock readings the report has zeros.
        CompletableFuture<WindowEnd> readings = window.thenCompose(end -> end.passed()
                ? askTarget(reply.intentSeq(), orderedEpoch)
                : CompletableFuture.completedFuture(end));
        host.completeAfter(readings, WindowEnd.UNKNOWN, bounds.reportNs());
        var _ = readings.whenComplete((end, error) -> {
            SourceReport whole = report.withTarget(error == null ? end : WindowEnd.UNKNOWN);
            if (whole.target().ran()) {
                LOG.debug(
                        "vm slot {}: ns after the last instruction at {}: saved={} offered={} seen={} owned={} run={}",
                        slot.index(), offer.lastInstructionNs(), offer.savedNs() - offer.lastInstructionNs(),
                        offer.offeredNs() - offer.lastInstructionNs(),
                        whole.target().offerSeenNs() - offer.lastInstructionNs(),
                        whole.target().runningNs() - offer.lastInstructionNs(),
                        whole.target().firstInstructionNs() - offer.lastInstructionNs());
            }
            to.complete(whole);
        });
    }
}
