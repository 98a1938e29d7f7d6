package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffTarget.Arrival;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestContext;
import io.tombolo.agent.hypervisor.GuestFacts;
import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.takeover.TakeoverCore;
import io.tombolo.agent.takeover.TakeoverPorts;
import io.tombolo.agent.takeover.VmTakeover;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.Blob;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmSlot;
import java.util.List;
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
public final class HostedVm {
    private static final Logger LOG = LoggerFactory.getLogger(HostedVm.class);

    /// How often a prepared target looks whether its preparation has outlived itself.
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

    private final HostPorts host;
    private final Hypervisor driver;
    private final VmSlot slot;
    private final VmSpec spec;
    private final HandoffBounds bounds;
    private final Consumer<HostedVm> hosts;
    private final Consumer<HostedVm> gone;
    private final Control control;

    private final RunRight runs;
    private volatile Guest guest;
    private volatile String reason = "";
    private VmIdentity identity;
    private volatile HandoffSource source;
    private volatile HandoffTarget target;
    private VmTakeover takeover;
    private Arrival arrival = new Arrival(0, WindowEnd.UNKNOWN);
    private boolean paused;
    private long cancelledSeq;
    private CompletableFuture<Void> adopted = DONE;

    /// @param hosts told, on the control thread, that this host has a guest of the VM from now on
    /// @param gone told, on the control thread, that this host has nothing of the VM any more
    public HostedVm(HostPorts host, Hypervisor driver, VmSlot slot, VmSpec spec, HandoffBounds bounds,
            Consumer<HostedVm> hosts, Consumer<HostedVm> gone) {
        this.host = requireNonNull(host, "host is null");
        this.driver = requireNonNull(driver, "driver is null");
        this.slot = requireNonNull(slot, "slot is null");
        this.spec = requireNonNull(spec, "spec is null");
        this.bounds = requireNonNull(bounds, "bounds is null");
        this.hosts = requireNonNull(hosts, "hosts is null");
        this.gone = requireNonNull(gone, "gone is null");
        this.control = host.control(spec.name());
        this.runs = new RunRight(slot, host.board());
    }

    public VmSpec spec() {
        return spec;
    }

    public int slotIndex() {
        return slot.index();
    }

    /// Why the VM does not run here although it should; else empty.
    public String reason() {
        return reason;
    }

    /// Whether a guest of the VM exists on this host, running or stopped.
    public boolean hosted() {
        return guest != null;
    }

    /// What the guest says of itself; nothing when there is none.
    public GuestFacts facts() {
        Guest present = guest;
        return present == null ? new GuestFacts(false, List.of(), -1, -1, false, "no guest") : present.facts();
    }

    /// The owner word at this moment.
    public long owner() {
        return slot.ownerAcquire();
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
            var _ = orLeave(() -> requireRight("restart"));
            if (guest != null || target != null || (takeover != null && !takeover.isOver())) {
                throw notHere();
            }
            long lost = slot.ownerAcquire();
            if (OwnerWord.is(lost, OwnerState.LOST)) {
                long epoch = OwnerWord.nextEpoch(lost);
                move(lost, OwnerState.DESTROYING, epoch);
                driver.release(slot.index());
                move(word(OwnerState.DESTROYING, epoch), OwnerState.FREE, epoch);
            }
            createNow();
            return null;
        });
    }

    private void createNow() {
        long free = orLeave(this::requireCreatable);
        long epoch = OwnerWord.epoch(free) + 1;
        move(free, OwnerState.CREATING, epoch);
        try {
            identity = driver.allocate(spec, slot.index());
            host(driver.boot(context()), epoch);
            if (spec.checkpointUs() > 0) {
                // Before its first instruction, so there is no time in which it is not.
                runs.set(word(OwnerState.CREATING, epoch), host.board().closings());
                guest.protect(epoch, spec.checkpointUs());
            }
        } catch (TomboloException e) {
            if (guest != null) {
                guest.kill();
            }
            move(word(OwnerState.CREATING, epoch), OwnerState.DESTROYING, epoch + 1);
            driver.release(slot.index());
            move(word(OwnerState.DESTROYING, epoch + 1), OwnerState.FREE, epoch + 1);
            leave();
            throw e;
        }
        runAt(word(OwnerState.CREATING, epoch), epoch);
    }

    /// Takes the VM over from an owner that is gone; completes with the epoch of the owner word when it is this host's.
    /// The rest goes on by itself.
    ///
    /// @param told of every state of the takeover, on the control thread
    public CompletableFuture<Long> takeOver(Region region, long ownerEpoch, Consumer<TakeoverCore.State> told) {
        return submit(() -> {
            if (control.isShutdown()) {
                throw notHere();
            }
            if (takeover != null && !takeover.isOver()) {
                return takeover.epoch();
            }
            var _ = orLeave(() -> requireRight("take over"));
            if (guest != null || !forgetTarget()) {
                throw error(HandoffError.TARGET_REFUSED, "the VM has a guest on this host").next("nothing to do")
                        .build();
            }
            return orLeave(() -> {
                driver.check(spec);
                identity = slot.readIdentity();
                takeover = new VmTakeover(region, slot, host.self(), spec.name(), new TakenHere(), told);
                return takeover.begin(ownerEpoch);
            });
        });
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

    /// This VM, as its takeover sees it.
    private final class TakenHere implements TakeoverPorts {
        @Override
        public boolean rightHolds() {
            return host.rightHolds();
        }

        @Override
        public CheckBoard board() {
            return host.board();
        }

        @Override
        public long nowNs() {
            return host.nowNs();
        }

        @Override
        public void after(Runnable task, long delayNs) {
            control.schedule(task, delayNs);
        }

        @Override
        public Guest restore(Blob state) {
            return driver.restore(context(), state);
        }

        @Override
        public void expect(OwnerState to, long epoch, int since) {
            runs.set(word(to, epoch), since);
            reason = "";
        }

        @Override
        public void adopt(Guest taken, long epoch, boolean isPaused) {
            paused = isPaused;
            host(taken, epoch);
            if (runs.hasLapsed()) {
                runAgain();
            } else if (!paused) {
                taken.run();
            }
        }

        @Override
        public void leave() {
            HostedVm.this.leave();
        }
    }

    private long requireCreatable() {
        driver.check(spec);
        long free = slot.ownerAcquire();
        if (OwnerWord.state(free) != OwnerState.FREE) {
            throw error(HandoffError.VM_SLOT_TAKEN, "the VM slot is not free").fact("owner",
                    OwnerWord.describe(free)).next("choose another slot; 'tombolo region inspect' shows them")
                    .build();
        }
        return free;
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
            move(word(OwnerState.RUNNING, epoch), OwnerState.PAUSED, epoch + 1);
            paused = true;
            source.feed(new SourceCore.Event.EpochMoved(epoch + 1));
            return DONE;
        });
    }

    /// Runs a paused guest.
    public CompletableFuture<Void> resume() {
        return submit(() -> {
            if (!paused) {
                throw error(HandoffError.VM_NOT_PAUSED, "the VM is not paused")
                        .fact("owner", OwnerWord.describe(slot.ownerAcquire())).next("nothing to do").build();
            }
            requireRight("resume");
            long epoch = source.state().epoch();
            guest.unpause(epoch);
            paused = false;
            runAt(word(OwnerState.PAUSED, epoch), epoch + 1);
            return null;
        });
    }

    /// Ends the VM and gives its memory back.
    public CompletableFuture<Void> destroy() {
        return onceArrived(() -> {
            long word = slot.ownerAcquire();
            if (source == null || source.state().phase() != SourceCore.Phase.IDLE
                    || OwnerWord.slot(word) != host.self()) {
                throw error(HandoffError.VM_NOT_HERE, "the VM cannot be destroyed now")
                        .fact("owner", OwnerWord.describe(word)).next("wait for the hand-off to end").build();
            }
            long epoch = OwnerWord.epoch(word);
            guest.kill();
            MoversGone.await(host, slot, guest, bounds.pollNs(), spec.name());
            move(word, OwnerState.DESTROYING, epoch + 1);
            driver.release(slot.index());
            move(word(OwnerState.DESTROYING, epoch + 1), OwnerState.FREE, epoch + 1);
            leave();
            return DONE;
        });
    }

    /// Protects the VM, committed every `checkpointUs` microseconds; 0: not any more. It stands still meanwhile, and runs
    /// on at the next epoch. Nothing happens if it is so already.
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

    /// Any thread: the pages of the guest, if there is one here and its pages can move.
    public Optional<VmPages> pages() {
        Guest present = guest;
        return present == null ? Optional.empty() : present.pages();
    }

    /// Any thread: whether this host may move pages of that guest now, running or paused.
    public boolean ownsPages(VmPages pages) {
        long word = slot.ownerAcquire();
        return OwnerWord.slot(word) == host.self() && !pages.isClosed()
                && (OwnerWord.is(word, OwnerState.RUNNING) || OwnerWord.is(word, OwnerState.PAUSED));
    }

    /// Pre-launches a guest for a VM that another host is about to hand over; completes when armed. `nonce` goes into
    /// the VM's echo word then, where the source finds it if both map the same memory. `copied`: for a VM whose local
    /// pages its source sends.
    public CompletableFuture<Void> prepare(long intentSeq, long epoch, int sourceSlot, long nonce, boolean copied) {
        return submitAsync(() -> {
            if (control.isShutdown()) {
                // It left while this waited for its turn; whoever asks again meets a new entry.
                throw notHere();
            }
            var _ = orLeave(() -> requireRight("prepare"));
            if (guest != null) {
                throw error(HandoffError.TARGET_REFUSED, "the VM has a guest on this host").next("nothing to do")
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
                throw notHere();
            }
            if (intentSeq <= cancelledSeq) {
                throw error(HandoffError.INTENT_CANCELLED, "the intent was cancelled before its order came")
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

    /// Any thread: how far the copy of that intent is.
    public Reply.CopyProgress copyProgress(long intentSeq) {
        return copy(intentSeq).map(CopySource::progress).orElse(new Reply.CopyProgress(0, 0, 0, 0));
    }

    private Optional<CopySource> copy(long intentSeq) {
        HandoffSource present = source;
        return present == null ? Optional.empty() : present.copy(intentSeq);
    }

    /// Any thread: pages that the source of this VM sends.
    public void storePages(AgentRequest.CopyPages pages) {
        Optional.ofNullable(target).orElseThrow(this::notHere).pages().store(pages);
    }

    /// Any thread: the source has sent everything.
    public void sealPages(AgentRequest.SealCopy seal) {
        Optional.ofNullable(target).orElseThrow(this::notHere).seal(seal);
    }

    /// Any thread: a client's request.
    public CompletableFuture<GuestReply> call(GuestCall call) {
        Guest present = guest;
        return present == null ? CompletableFuture.failedFuture(notHere()) : present.call(call);
    }

    /// Any thread: the client requests that the guest executed during this stay, oldest first.
    public List<InputEntry> inputLog() {
        Guest present = guest;
        return present == null ? List.of() : present.inputLog();
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
        runs.set(word(OwnerState.RUNNING, epoch), host.board().closings());
        reason = "";
    }

    private void leave() {
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
        move(from, OwnerState.RUNNING, epoch);
        source.feed(new SourceCore.Event.EpochMoved(epoch));
        guest.run();
    }

    private long requireRunning(String what) {
        requireRight(what);
        if (source == null || paused || source.state().phase() != SourceCore.Phase.IDLE) {
            throw error(HandoffError.VM_NOT_HERE, "the VM does not run on this host, or a hand-off is under way")
                    .fact("operation", what).fact("owner", OwnerWord.describe(slot.ownerAcquire()))
                    .next("'tombolo vm show' tells where it is").build();
        }
        return source.state().epoch();
    }

    private boolean requireRight(String what) {
        if (!host.rightHolds()) {
            throw error(HandoffError.RIGHT_LAPSED, "this host may not run VMs now").fact("operation", what)
                    .next("'tombolo host show' says why; it comes back by itself when ZooKeeper answers").build();
        }
        return true;
    }

    private TomboloException notHere() {
        return error(HandoffError.VM_NOT_HERE, "the VM does not run on this host")
                .fact("owner", OwnerWord.describe(slot.ownerAcquire())).next("ask the host that the owner word names")
                .build();
    }

    private TomboloException.Builder error(HandoffError code, String what) {
        return TomboloException.error(code, what).fact("vm", spec.name()).fact("slot", slot.index());
    }

    private long word(OwnerState state, long epoch) {
        return OwnerWord.pack(state, host.self(), epoch);
    }

    private void move(long from, OwnerState to, long epoch) {
        long next = to == OwnerState.FREE ? OwnerWord.pack(to, 0, epoch) : word(to, epoch);
        if (!slot.compareAndSetOwner(from, next)) {
            throw error(HandoffError.OWNER_CHANGED, "the owner word changed under this host")
                    .fact("expected", OwnerWord.describe(from)).fact("found", OwnerWord.describe(slot.ownerAcquire()))
                    .next("'tombolo vm show' tells who owns it now").build();
        }
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
        return ControlThread.submit(control, task, this::notHere);
    }
}
