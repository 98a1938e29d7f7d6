package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffTarget.Arrival;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestContext;
import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.agent.hypervisor.RestoringGuest;
import io.tombolo.agent.takeover.TakeoverCore;
import io.tombolo.agent.takeover.VmTakeover;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmSlot;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One VM as one host sees it. Everything happens on one control thread, so no two operations of a VM meet; callers get
/// futures. The owner word in the region is changed here and in the two hand-off edges only, and every change goes with
/// what is believed here: a CAS that fails means a wrong belief, and then the guest is killed, never argued for.
public final class HostedVm extends VmPlace {
    private static final Logger LOG = LoggerFactory.getLogger(HostedVm.class);

    /// How often a prepared target looks whether its preparation has outlived itself.
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

    private final HostPorts host;
    private final Hypervisor driver;
    private final HandoffBounds bounds;
    private final Consumer<HostedVm> hosts;
    private final Consumer<HostedVm> gone;
    private final Control control;

    private final RunRight runs;
    private VmIdentity identity;
    private VmTakeover takeover;
    private Arrival arrival = new Arrival(0, WindowEnd.UNKNOWN);
    private boolean paused;
    private long cancelledSeq;
    private CompletableFuture<Void> adopted = DONE;

    /// @param hosts told, on the control thread, that this host has a guest of the VM from now on
    /// @param gone told, on the control thread, that this host has nothing of the VM any more
    public HostedVm(HostPorts host, Hypervisor driver, VmSlot slot, VmSpec spec, HandoffBounds bounds,
            Consumer<HostedVm> hosts, Consumer<HostedVm> gone) {
        super(slot, spec, host);
        this.host = host;
        this.driver = requireNonNull(driver, "driver is null");
        this.bounds = requireNonNull(bounds, "bounds is null");
        this.hosts = requireNonNull(hosts, "hosts is null");
        this.gone = requireNonNull(gone, "gone is null");
        this.control = host.control(spec.name());
        this.runs = new RunRight(slot, host.board());
    }

    /// Creates the VM and runs it. On failure everything that was taken is given back.
    public CompletableFuture<Void> create() {
        return submit(() -> {
            createNow();
            return null;
        });
    }

    /// A VM that is LOST is destroyed, and created anew in the same slot.
    public CompletableFuture<Void> restart() {
        return submit(() -> {
            var _ = orLeave(() -> words.requireRight("restart"));
            if (guest != null || target != null || (takeover != null && !takeover.isOver())) {
                throw words.notHere();
            }
            long lost = slot.ownerAcquire();
            if (OwnerWord.is(lost, OwnerState.LOST)) {
                words.destroy(lost, driver);
            }
            createNow();
            return null;
        });
    }

    private void createNow() {
        long free = orLeave(() -> words.requireCreatable(driver));
        long epoch = OwnerWord.epoch(free) + 1;
        words.move(free, OwnerState.CREATING, epoch);
        try {
            identity = driver.allocate(spec, slot.index());
            host(driver.boot(context()), epoch);
            if (spec.checkpointUs() > 0) {
                // Before its first instruction, so there is no time in which it is not.
                runs.set(words.word(OwnerState.CREATING, epoch), host.board().closings());
                guest.protect(epoch, spec.checkpointUs());
            }
        } catch (TomboloException e) {
            if (guest != null) {
                guest.kill();
            }
            words.destroy(words.word(OwnerState.CREATING, epoch), driver);
            leave();
            throw e;
        }
        runAt(words.word(OwnerState.CREATING, epoch), epoch);
    }

    /// Takes the VM over from an owner that is gone; completes with the epoch of the owner word when it is this host's.
    /// The rest goes on by itself.
    ///
    /// @param told of every state of the takeover, on the control thread
    public CompletableFuture<Long> takeOver(Region region, long ownerEpoch, Consumer<TakeoverCore.State> told) {
        return submit(() -> {
            if (control.isShutdown()) {
                throw words.notHere();
            }
            if (takeover != null && !takeover.isOver()) {
                return takeover.epoch();
            }
            var _ = orLeave(() -> words.requireRight("take over"));
            if (guest != null || !forgetTarget()) {
                throw words.error(HandoffError.TARGET_REFUSED, "the VM has a guest on this host").next("nothing to do")
                        .build();
            }
            return orLeave(() -> {
                driver.check(spec);
                identity = slot.readIdentity();
                takeover = new VmTakeover(region, slot, host.self(), spec.name(), new TakenHere(host, control, this),
                        told);
                return takeover.begin(ownerEpoch);
            });
        });
    }

    /// For [TakenHere], on the control thread.
    RestoringGuest restoring() {
        return driver.restoring(context());
    }

    /// For [TakenHere]: the owner word is about to say that.
    void expectTaken(OwnerState to, long epoch, int since) {
        runs.set(words.word(to, epoch), since);
        reason = "";
    }

    /// For [TakenHere]: the guest is this host's.
    void adoptTaken(Guest taken, long epoch, boolean isPaused) {
        paused = isPaused;
        host(taken, epoch);
        if (runs.hasLapsed()) {
            runAgain();
        } else if (!paused) {
            taken.run();
        }
    }

    /// A preparation for a hand-off that its source's death has ended. False if its guest may have the VM already.
    private boolean forgetTarget() {
        if (target == null) {
            return true;
        }
        target.cancel(target.state().intentSeq());
        if (target.state().phase() != TargetCore.Phase.IDLE) {
            return false;
        }
        target = null;
        adopted.complete(null);
        return true;
    }

    /// A refusal must not leave an entry behind that keeps the slot from the next VM.
    private <T> T orLeave(Supplier<T> check) {
        try {
            return check.get();
        } catch (TomboloException e) {
            if (guest == null && target == null && (takeover == null || takeover.isOver())) {
                leave();
            }
            throw e;
        }
    }

    /// Stops the guest, publishes its state for readers of the region, and says PAUSED.
    public CompletableFuture<Void> pause() {
        return onceArrived(() -> {
            long epoch = requireRunning("pause");
            guest.stop();
            guest.saveStopped(new PausedOffer(SlotOffer.metadata(slot, epoch + 1), epoch + 1, spec.uuid()));
            words.move(words.word(OwnerState.RUNNING, epoch), OwnerState.PAUSED, epoch + 1);
            paused = true;
            source.feed(new SourceCore.Event.EpochMoved(epoch + 1));
            return DONE;
        });
    }

    /// Runs a paused guest.
    public CompletableFuture<Void> resume() {
        return submit(() -> {
            if (!paused) {
                throw words.error(HandoffError.VM_NOT_PAUSED, "the VM is not paused")
                        .fact("owner", OwnerWord.describe(slot.ownerAcquire())).next("nothing to do").build();
            }
            words.requireRight("resume");
            long epoch = source.state().epoch();
            guest.unpause(epoch);
            paused = false;
            runAt(words.word(OwnerState.PAUSED, epoch), epoch + 1);
            return null;
        });
    }

    /// Ends the VM and gives its memory back.
    public CompletableFuture<Void> destroy() {
        return onceArrived(() -> {
            long word = slot.ownerAcquire();
            if (source == null || source.state().phase() != SourceCore.Phase.IDLE
                    || OwnerWord.slot(word) != host.self()) {
                throw words.error(HandoffError.VM_NOT_HERE, "the VM cannot be destroyed now")
                        .fact("owner", OwnerWord.describe(word)).next("wait for the hand-off to end").build();
            }
            guest.kill();
            MoversGone.await(host, slot, guest, bounds.pollNs(), spec.name());
            words.destroy(word, driver);
            leave();
            return DONE;
        });
    }

    /// Protects the VM, committed every `checkpointUs` microseconds; 0: not any more. It stands still meanwhile, and
    /// runs on at the next epoch. Nothing happens if it is so already.
    public CompletableFuture<Void> protect(int checkpointUs) {
        return onceArrived(() -> {
            long epoch = requireRunning(checkpointUs == 0 ? "unprotect" : "protect");
            if (slot.checkpointUs() == checkpointUs) {
                return DONE;
            }
            guest.stop();
            try {
                if (checkpointUs == 0) {
                    guest.unprotect(epoch);
                } else {
                    MoversGone.await(host, slot, guest, bounds.pollNs(), spec.name());
                    guest.protect(epoch, checkpointUs);
                }
            } finally {
                if (runs.isOurs()) {
                    slot.gate().open();
                }
                renewEpoch();
                runAgain();
            }
            return DONE;
        });
    }

    /// Pre-launches a guest for a VM that another host is about to hand over; completes when armed. `nonce` goes into
    /// the VM's echo word then, where the source finds it if both map the same memory. `copied`: for a VM whose local
    /// pages its source sends.
    public CompletableFuture<Void> prepare(long intentSeq, long epoch, int sourceSlot, long nonce, boolean copied) {
        return submitAsync(() -> {
            if (control.isShutdown()) {
                // It left while this waited for its turn; whoever asks again meets a new entry.
                throw words.notHere();
            }
            var _ = orLeave(() -> words.requireRight("prepare"));
            if (guest != null) {
                throw words.error(HandoffError.TARGET_REFUSED, "the VM has a guest on this host").next("nothing to do")
                        .build();
            }
            if (target == null) {
                identity = orLeave(() -> {
                    driver.check(spec);
                    return slot.readIdentity();
                });
                target = new HandoffTarget(host, slot, spec.uuid(), bounds, control,
                        port -> driver.prepare(context(), port), runs, this::adopt);
                adopted = new CompletableFuture<>();
                pollAfter(LOOK_NS);
            }
            CompletableFuture<Void> armed = target.prepare(intentSeq, epoch, sourceSlot, copied)
                    .thenAccept(_ -> slot.echoRelease(nonce));
            if (target.state().phase() == TargetCore.Phase.IDLE) {
                leave();
            }
            return armed;
        });
    }

    /// Lets the prepared guest spin; see [HandoffTarget#openWindow].
    public CompletableFuture<WindowEnd> openWindow(long intentSeq, long epoch) {
        return submitAsync(() -> {
            if (target != null) {
                return target.openWindow(intentSeq, epoch);
            }
            return CompletableFuture.completedFuture(
                    arrival.intentSeq() == intentSeq ? arrival.end() : WindowEnd.refused("not prepared"));
        });
    }

    /// Hands the VM over; completes when it is decided.
    public CompletableFuture<SourceReport> switchOver(long intentSeq, long epoch, Peer peer, long nonce) {
        return switchOver(intentSeq, epoch, peer, nonce, Optional.empty());
    }

    /// The same; with limits: sends its local pages first.
    public CompletableFuture<SourceReport> switchOver(long intentSeq, long epoch, Peer peer, long nonce,
            Optional<CopySource.CopyLimits> limits) {
        return onceArrived(() -> {
            if (source == null || paused) {
                throw words.notHere();
            }
            if (intentSeq <= cancelledSeq) {
                throw words.error(HandoffError.INTENT_CANCELLED, "the intent was cancelled before its order came")
                        .fact("intent", intentSeq).fact("cancelled", cancelledSeq).next("nothing to do").build();
            }
            limits.ifPresent(_ -> ProtectedVms.requireMovablePages(slot, spec.name()));
            CompletableFuture<SourceReport> report = source.order(intentSeq, epoch, peer, nonce, limits);
            keepPolling();
            return report;
        });
    }

    /// The leader gives an intent up. Completes with whether something of it is still armed here.
    public CompletableFuture<Boolean> cancel(long intentSeq) {
        // The control thread may be sending the last pages of this very copy.
        copy(intentSeq).ifPresent(CopySource::cancel);
        return submit(() -> {
            // An order may overtake its cancellation on the way: one that comes late must not be obeyed.
            cancelledSeq = Math.max(cancelledSeq, intentSeq);
            if (source != null) {
                source.feed(new SourceCore.Event.Abort(intentSeq));
                return source.state().intentSeq() == intentSeq && source.state().phase() != SourceCore.Phase.IDLE;
            }
            if (target != null) {
                target.cancel(intentSeq);
                boolean armed = target.state().intentSeq() == intentSeq
                        && target.state().phase() != TargetCore.Phase.IDLE;
                if (target.state().phase() == TargetCore.Phase.IDLE) {
                    leave();
                }
                return armed;
            }
            return false;
        });
    }

    /// The host's right lapsed: the guest stops now. It runs again only by [#renew] and then [#runRenewed].
    public CompletableFuture<Void> rightLapsed(String why) {
        return submit(() -> {
            if (source != null) {
                reason = why;
                source.feed(new SourceCore.Event.RightLapsed());
                if (source.state().phase() == SourceCore.Phase.IDLE) {
                    guest.stop();
                }
            }
            return null;
        });
    }

    /// The host has a fresh right: CAS RUNNING e to e + 1 for a VM that is ours and not on its way, never by looking: a
    /// takeover may be between its look and its CAS. A VM whose CAS fails is somebody else's and is killed.
    public CompletableFuture<Void> renew() {
        return submit(() -> {
            if (source != null) {
                source.feed(new SourceCore.Event.RightFresh());
                renewEpoch();
            }
            return null;
        });
    }

    private void renewEpoch() {
        if (source.state().phase() != SourceCore.Phase.IDLE || paused) {
            return;
        }
        guest.stop();
        if (runs.renew()) {
            LOG.info("vm {}: right renewed, epoch {}", spec.name(), runs.epoch());
            source.feed(new SourceCore.Event.EpochMoved(runs.epoch()));
            reason = "";
        } else {
            lost();
        }
    }

    /// The gate is open: a renewed VM runs, also one that has been ordered away meanwhile.
    public CompletableFuture<Void> runRenewed() {
        return submit(() -> {
            runAgain();
            return null;
        });
    }

    /// A VM that arrived while the right lapsed was nobody's to renew then.
    private void runAgain() {
        if (source != null && runs.hasLapsed() && host.rightHolds()) {
            renewEpoch();
        }
        if (source != null && source.state().guestRuns() && !paused && !guest.facts().failed()) {
            guest.run();
        }
    }

    /// Kills whatever this host has of the VM and stores nothing: for a host that is leaving or fenced.
    public CompletableFuture<Void> abandon() {
        return submit(() -> {
            if (guest != null) {
                guest.kill();
            }
            if (source != null) {
                source.abandoned();
            }
            if (takeover != null && !takeover.isOver()) {
                takeover.abandon();
                return null;
            }
            if (target != null) {
                target.feed(new TargetCore.Event.Cancel(target.state().intentSeq(), slot.ownerAcquire()));
                target.abandoned();
            }
            leave();
            return null;
        });
    }

    /// Phase of an intent on this host, for questions about a hand-off.
    public CompletableFuture<Standing> standing() {
        return submit(() -> new Standing(source == null ? null : source.state(),
                target == null ? null : target.state(), slot.ownerAcquire()));
    }

    private void adopt(Guest arrived, long epoch, Arrival how) {
        target = null;
        arrival = how;
        host(arrived, epoch);
        if (runs.hasLapsed()) {
            runAgain();
        }
        adopted.complete(null);
    }

    private void host(Guest arrived, long epoch) {
        guest = arrived;
        source = new HandoffSource(host, slot, spec.uuid(), arrived, bounds, epoch, control, this::expectRunningAt,
                this::leave, this::keepPolling);
        hosts.accept(this);
    }

    private void expectRunningAt(long epoch) {
        runs.set(words.word(OwnerState.RUNNING, epoch), host.board().closings());
        reason = "";
    }

    void leave() {
        adopted.complete(null);
        gone.accept(this);
        guest = null;
        source = null;
        target = null;
        control.shutdown();
    }

    private GuestContext context() {
        return new GuestContext(spec, identity, slot, host.board(), runs::holds, runs::epoch,
                this::stoppedByItself, host.runs());
    }

    /// Called by the guest's threads when they have stopped: their check failed, or the guest failed. A closed gate
    /// needs nothing here, the right keeper comes back with [#renew].
    private void stoppedByItself(String why) {
        try {
            control.execute(() -> {
                if (source == null || source.state().phase() != SourceCore.Phase.IDLE || paused) {
                    return;
                }
                reason = why;
                if (!runs.isOurs()) {
                    lost();
                } else if (guest.facts().failed()) {
                    LOG.error("vm {}: stopped by itself: {}", spec.name(), why);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("vm {}: left this host already: {}", spec.name(), e.toString());
        }
    }

    private void lost() {
        LOG.error("vm {}: is not ours any more: {}", spec.name(), OwnerWord.describe(slot.ownerAcquire()));
        guest.kill();
        source.abandoned();
        leave();
    }

    private void runAt(long from, long epoch) {
        expectRunningAt(epoch);
        words.move(from, OwnerState.RUNNING, epoch);
        source.feed(new SourceCore.Event.EpochMoved(epoch));
        guest.run();
    }

    private long requireRunning(String what) {
        words.requireRight(what);
        if (source == null || paused || source.state().phase() != SourceCore.Phase.IDLE) {
            throw words.error(HandoffError.VM_NOT_HERE, "the VM does not run on this host, or a hand-off is under way")
                    .fact("operation", what).fact("owner", OwnerWord.describe(slot.ownerAcquire()))
                    .next("'tombolo vm show' tells where it is").build();
        }
        return source.state().epoch();
    }

    private void pollAfter(long delayNs) {
        control.schedule(() -> {
            try {
                keepPolling();
            } catch (RuntimeException | Error e) {
                // What waits for this hand-off hears of it by its own time-out; the reason must be in the log.
                LOG.error("vm {}: polling a hand-off failed", spec.name(), e);
                throw e;
            }
        }, delayNs);
    }

    /// While a side waits, it looks at the words now and then; at rest nothing polls.
    private void keepPolling() {
        if (source != null && source.waiting()) {
            source.poll();
        } else if (target != null) {
            target.poll();
            if (target != null && target.state().phase() == TargetCore.Phase.IDLE) {
                leave();
            }
        }
        boolean fast = source != null && source.waiting();
        if ((fast || target != null) && !control.isShutdown()) {
            pollAfter(fast ? bounds.pollNs() : LOOK_NS);
        }
    }

    /// Operations on a guest that has just arrived, of which the control thread has not heard, come after the arrival.
    private <T> CompletableFuture<T> onceArrived(Callable<CompletableFuture<T>> task) {
        return submitAsync(() -> {
            boolean arriving = source == null && target != null
                    && OwnerWord.is(slot.ownerAcquire(), OwnerState.RUNNING)
                    && OwnerWord.slot(slot.ownerAcquire()) == host.self();
            return arriving ? adopted.thenCompose(_ -> submitAsync(task)) : task.call();
        });
    }

    private <T> CompletableFuture<T> submit(Callable<T> task) {
        return submitAsync(() -> CompletableFuture.completedFuture(task.call()));
    }

    private <T> CompletableFuture<T> submitAsync(Callable<CompletableFuture<T>> task) {
        return ControlThread.submit(control, task, words::notHere);
    }
}
