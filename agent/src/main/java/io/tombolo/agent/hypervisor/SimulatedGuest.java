package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.OfferResult.Outcome;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.InputLog;
import io.tombolo.agent.sim.MovingPageWait;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.RequestQueue;
import io.tombolo.agent.sim.RightCheck;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.sim.StopReason;
import io.tombolo.agent.sim.StopReport;
import io.tombolo.agent.sim.SwitchAction;
import io.tombolo.agent.sim.VcpuRunner;
import io.tombolo.agent.sim.VmListener;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.region.Blob;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A simulated guest on this host: [VcpuRunner] behind the driver's interface.
///
/// Outside the spin window the waiting thread looks at the owner word every [#LOOK_NS]; inside it spins. Everything
/// between seeing the offer and the first instruction happens on that one thread and allocates next to nothing.
final class SimulatedGuest implements Guest, IncomingGuest, RestoringGuest {
    private static final Logger LOG = LoggerFactory.getLogger(SimulatedGuest.class);
    /// Long enough to cost nothing, short enough that an offer that missed its window is taken soon.
    private static final long LOOK_NS = 1_000_000;
    private static final int WARM_UP_HOPS = 4;
    /// A dry run takes a microsecond or two: at this interval an offer rarely comes in the middle of one.
    private static final long WARM_NS = 30_000;
    /// By then a vCPU that runs has asked: a slice takes some 100 us.
    private static final long ASK_WAIT_NS = 2 * SimulatedHypervisor.SPINNER_WAIT_NS;
    /// Entries of the input log kept in memory; a drill's clients stay far below it.
    private static final int INPUT_LOG_ENTRIES = 1 << 18;

    private final GuestContext context;
    private final SimulatedState state;
    private final SimulatedStateCodec codec;
    private final RequestQueue requests;
    private final InputLog inputs = InputLog.inMemory(INPUT_LOG_ENTRIES);
    private final CheckBoard.Checker[] checkers;
    private final VmPages pages;
    private final VcpuRunner runner;
    private final GuestProtection protection;
    private final Arrival arrival = new Arrival();
    private final DryRun dryRun;
    /// A switch that is due; whoever takes it out of here asks the vCPUs for it.
    private final AtomicReference<Switch> due = new AtomicReference<>();
    private volatile long spinUntilNs;
    private volatile boolean windowAsked;
    private volatile boolean failed;
    private volatile String note = "";

    SimulatedGuest(GuestContext context, GuestSpec spec, Region region, VmPages pages, FrameAllocator allocator,
            Executor completions, DryRun dryRun) {
        this.context = requireNonNull(context, "context is null");
        this.dryRun = requireNonNull(dryRun, "dryRun is null");
        this.state = SimulatedState.fresh(spec);
        this.codec = new SimulatedStateCodec(spec);
        this.requests = new RequestQueue(RequestQueue.DEFAULT_CAPACITY, completions);
        this.checkers = new CheckBoard.Checker[spec.vcpus()];
        for (int i = 0; i < checkers.length; i++) {
            checkers[i] = context.board().register("vcpu " + context.spec().name() + "/" + i, context.ownerHolds());
        }
        this.pages = requireNonNull(pages, "pages is null");
        RightCheck waits = new WaitingCheck();
        PagedMemory[] memories = new PagedMemory[spec.vcpus()];
        for (int i = 0; i < memories.length; i++) {
            memories[i] = PagedMemory.of(pages, new MovingPageWait(pages, i, waits));
        }
        this.protection = new GuestProtection(context, region, allocator, pages, state, requests, waits, memories);
        this.runner = VcpuRunner.create(context.spec().name(), state, vcpu -> memories[vcpu], pages.shootdown(),
                new VcpuRunner.Options(new BoardCheck(), requests, inputs, new Listener(), completions, 0));
        protection.of(runner);
    }

    /// While a vCPU waits for a page, in the middle of an instruction, nothing else is done that a slice's end does.
    private final class WaitingCheck implements RightCheck {
        @Override
        public boolean start(int vcpu) {
            return checkers[vcpu].start();
        }

        @Override
        public boolean check(int vcpu) {
            return checkers[vcpu].check();
        }

        @Override
        public void stopped(int vcpu) {
            checkers[vcpu].stopped();
        }
    }

    /// Brings the vCPU threads' looks at their right onto the host's board.
    private final class BoardCheck implements RightCheck {

        @Override
        public boolean start(int vcpu) {
            return checkers[vcpu].start();
        }

        @Override
        public boolean check(int vcpu) {
            if (vcpu == 0) {
                arrival.tell();
                Switch next = due.get();
                if (next != null) {
                    // The guest executes one instruction more after this, so that its downtime begins with warm caches.
                    dryRun.run(WARM_UP_HOPS);
                    if (!protection.isOn()) {
                        // Unpublished, so nobody reads it; its lines are this core's when the real state is written.
                        codec.encode(state, next.port.payload());
                    }
                    if (next.isTime() && due.compareAndSet(next, null)) {
                        next.ask();
                    }
                }
            }
            return checkers[vcpu].check();
        }

        @Override
        public void begins(int vcpu) {
            context.runs().begins(context.spec().uuid(), context.slot().index(), vcpu,
                    OwnerWord.epoch(context.slot().ownerAcquire()));
        }

        @Override
        public void ended(int vcpu) {
            context.runs().ended(context.spec().uuid(), context.slot().index(), vcpu);
        }

        @Override
        public void stopped(int vcpu) {
            if (vcpu == 0) {
                // A VM that arrived and was stopped before its second slice is here all the same.
                arrival.tell();
            }
            checkers[vcpu].stopped();
        }
    }

    private final class Listener implements VmListener {
        @Override
        public void stopped(StopReport report) {
            switch (report.reason()) {
                case REQUESTED, DEPARTED, SWITCH_ENDED, ARRIVAL_CALLED_OFF, KILLED -> {
                }
                case RIGHT_LAPSED -> context.stoppedByItself().accept("the right to run lapsed");
                case COMMIT_LOST -> {
                    protection.fail();
                    LOG.warn("vm {}: a commit failed: another host takes it over", context.spec().name());
                    context.stoppedByItself().accept("another host takes it over");
                }
                case GUEST_FAULT, FAILED -> {
                    failed = true;
                    note = String.valueOf(report.cause());
                    LOG.error("vm {}: stopped: {}", context.spec().name(), report.reason(), report.cause());
                    context.stoppedByItself().accept(report.reason() + ": " + report.cause());
                }
            }
        }

        @Override
        public void selfCheckFailed(int vcpu, SelfCheckFailure failure) {
            note = "self-check failed: " + failure;
            LOG.error("vm {}: vcpu {}: self-check failed: {}", context.spec().name(), vcpu, failure);
        }
    }

    @Override
    public void run() {
        requests.reopen();
        if (runner.state() == VcpuRunner.State.STOPPED) {
            runner.resume();
        }
    }

    @Override
    public void stop() {
        if (runner.state() == VcpuRunner.State.RUNNING || runner.state() == VcpuRunner.State.STOPPING) {
            join(runner.requestStop());
        }
    }

    @Override
    public OfferResult offer(OfferPort port) {
        Switch action = new Switch(port);
        if (runner.state() == VcpuRunner.State.RUNNING) {
            due.set(action);
        } else {
            action.ask();
        }
        try {
            SwitchAction.Outcome outcome = action.await();
            requests.leave();
            Outcome result = outcome == SwitchAction.Outcome.DEPARTED ? Outcome.OFFERED : Outcome.CAS_LOST;
            return new OfferResult(result, "", state.stoppedAtNs(), action.savedNs, action.offeredNs, action.bytes);
        } catch (TomboloException e) {
            return OfferResult.failed(runner.state() == VcpuRunner.State.RUNNING, e.getMessage());
        }
    }

    @Override
    public OfferResult offerAfter(BooleanSupplier rest, OfferPort port) {
        if (runner.state() != VcpuRunner.State.RUNNING) {
            return OfferResult.failed(false, "the guest does not run: " + runner.state());
        }
        StopReport stopped = join(runner.requestStop());
        if (stopped.reason() != StopReason.REQUESTED) {
            return OfferResult.failed(false, "the guest stopped by itself: " + stopped.reason());
        }
        if (!rest.getAsBoolean()) {
            return OfferResult.failed(false, "");
        }
        int bytes = codec.encode(state, port.payload());
        long savedNs = System.nanoTime();
        boolean won = port.offer(bytes, SimulatedStateCodec.SCHEMA);
        long offeredNs = System.nanoTime();
        requests.leave();
        return new OfferResult(won ? Outcome.OFFERED : Outcome.CAS_LOST, won ? "" : "the owner word changed",
                state.stoppedAtNs(), savedNs, offeredNs, bytes);
    }

    /// Asked for by vCPU 0 itself, between two slices: a control thread that wakes up for it would take a core just
    /// when both are needed. Runs once, on the vCPU thread that stopped last.
    private final class Switch implements SwitchAction {
        private final OfferPort port;
        private final long sinceNs = System.nanoTime();
        private final CompletableFuture<SwitchAction.Outcome> outcome = new CompletableFuture<>();
        private long savedNs;
        private long offeredNs;
        private int bytes;

        Switch(OfferPort port) {
            this.port = port;
        }

        /// Last, after the dry run: what is true now is still true a microsecond later.
        boolean isTime() {
            return port.targetSpins() || System.nanoTime() - sinceNs > SimulatedHypervisor.SPINNER_WAIT_NS;
        }

        void ask() {
            try {
                var _ = runner.requestSwitch(this).whenComplete((ended, error) -> {
                    if (error == null) {
                        outcome.complete(ended);
                    } else {
                        outcome.completeExceptionally(error);
                    }
                });
            } catch (TomboloException e) {
                outcome.completeExceptionally(e);
            }
        }

        SwitchAction.Outcome await() {
            try {
                return outcome.get(ASK_WAIT_NS, TimeUnit.NANOSECONDS);
            } catch (TimeoutException _) {
                // The vCPUs have stopped meanwhile, or stand still: then the runner says so.
                if (due.compareAndSet(this, null)) {
                    ask();
                }
                return join(outcome);
            } catch (InterruptedException _) {
                due.compareAndSet(this, null);
                Thread.currentThread().interrupt();
                return join(outcome);
            } catch (ExecutionException _) {
                return join(outcome);
            }
        }

        @Override
        public SwitchAction.Outcome switchOver(SimulatedState stopped) {
            if (protection.isOn()) {
                return commitAndOffer();
            }
            bytes = codec.encode(stopped, port.payload());
            savedNs = System.nanoTime();
            boolean won = port.offer(bytes, SimulatedStateCodec.SCHEMA);
            offeredNs = System.nanoTime();
            return won ? SwitchAction.Outcome.DEPARTED : SwitchAction.Outcome.STOP;
        }

        /// What waited for this commit leaves also if the owner word is somebody else's by then.
        private SwitchAction.Outcome commitAndOffer() {
            boolean won = protection.commit(context.ownerEpoch().getAsLong(), false);
            savedNs = System.nanoTime();
            bytes = protection.stateBytes();
            if (!won) {
                return SwitchAction.Outcome.LOST;
            }
            won = port.offerCommitted();
            offeredNs = System.nanoTime();
            return won ? SwitchAction.Outcome.DEPARTED : SwitchAction.Outcome.STOP;
        }
    }

    @Override
    public void protect(long ownerEpoch, int checkpointUs) {
        protection.start(ownerEpoch, checkpointUs);
    }

    @Override
    public void unprotect(long ownerEpoch) {
        protection.stop(ownerEpoch);
    }

    @Override
    public void unpause(long ownerEpoch) {
        if (protection.isOn() && !protection.commit(ownerEpoch, false)) {
            throw protection.takenOver();
        }
    }

    @Override
    public void reclaim() {
        // The registers are where they were; run() continues them.
    }

    @Override
    public int saveStopped(OfferPort port) {
        if (protection.isOn()) {
            if (!protection.commit(context.ownerEpoch().getAsLong(), true)) {
                throw protection.takenOver();
            }
            return protection.stateBytes();
        }
        int length = codec.encode(state, port.payload());
        port.offer(length, SimulatedStateCodec.SCHEMA);
        return length;
    }

    @Override
    public void kill() {
        pages.close();
        runner.kill();
        requests.leave();
        protection.fail();
        protection.close();
        for (CheckBoard.Checker checker : checkers) {
            checker.close();
        }
    }

    @Override
    public Optional<VmPages> pages() {
        return Optional.of(pages);
    }

    @Override
    public GuestFacts facts() {
        List<Long> instructions = Arrays.stream(state.instructions()).boxed().toList();
        boolean running = runner.state() == VcpuRunner.State.RUNNING;
        return new GuestFacts(running, instructions, state.checks(), state.errors(), failed, note,
                protection.facts());
    }

    @Override
    public CompletableFuture<GuestReply> call(GuestCall call) {
        return GuestWire.request(call).map(request -> requests.submit(request).reply()
                .thenApply(reply -> GuestWire.reply(call, reply)))
                .orElseGet(() -> CompletableFuture.completedFuture(GuestWire.invalid(call)));
    }

    @Override
    public List<InputEntry> inputLog() {
        return inputs.entries().stream().map(GuestWire::entry).toList();
    }

    // ---- arriving ----

    SimulatedGuest await(IncomingPort port) {
        requests.leave();
        try {
            protection.prepare();
        } catch (TomboloException e) {
            kill();
            throw e;
        }
        runner.arm(into -> arrive(port, into));
        return this;
    }

    @Override
    public void openWindow(long spinNs) {
        spinUntilNs = System.nanoTime() + spinNs;
        windowAsked = true;
        runner.wakeArmed();
    }

    @Override
    public Guest guest() {
        return this;
    }

    @Override
    public void discard() {
        kill();
    }

    /// On vCPU 0's thread. Returns true with the state in place and the owner word ours, and the thread runs the guest.
    private boolean arrive(IncomingPort port, SimulatedState into) {
        arrival.by(port);
        while (!Thread.currentThread().isInterrupted()) {
            if (port.offered()) {
                long seenNs = System.nanoTime();
                Blob blob = load(port, into);
                if (blob == null) {
                    return false;
                }
                if (take(port, blob, seenNs)) {
                    return true;
                }
                // The CAS lost: taken back, or fencing raised the offer's epoch; look again.
                continue;
            }
            if (windowAsked) {
                windowAsked = false;
                spin(port);
            } else {
                LockSupport.parkNanos(this, LOOK_NS);
            }
        }
        return false;
    }

    private void spin(IncomingPort port) {
        warm(WARM_UP_HOPS);
        port.spinning();
        long until = spinUntilNs;
        long warmedNs = System.nanoTime();
        while (!port.offered()) {
            port.beat();
            long now = System.nanoTime();
            if (now - until >= 0) {
                port.windowPassed();
                return;
            }
            if (now - warmedNs > WARM_NS) {
                warm(1);
                warmedNs = System.nanoTime();
            }
            Thread.onSpinWait();
        }
    }

    /// Another thread may have had the core for a moment, and its caches.
    private void warm(int hops) {
        dryRun.run(hops);
        // The owner word is not ours yet, so the answer is no; the look is made for the caches too.
        var _ = checkers[0].start();
        checkers[0].stopped();
        arrival.at(0, 0);
        var _ = runner.warm();
    }

    /// Null if the state cannot be used; the VM has been given back then.
    private Blob load(IncomingPort port, SimulatedState into) {
        try {
            Blob blob = port.take();
            codec.decode(blob.bytes(), blob.length(), into);
            return blob;
        } catch (TomboloException e) {
            port.refused(e.getMessage());
            return null;
        }
    }

    private boolean take(IncomingPort port, Blob blob, long seenNs) {
        if (!port.run()) {
            return false;
        }
        long runningNs = System.nanoTime();
        protection.arrive(blob);
        requests.reopen();
        arrival.at(seenNs, runningNs);
        return true;
    }

    // ---- taken over ----

    @Override
    public Guest restore(Blob blob, long mine) {
        requests.leave();
        try {
            if (blob.schema() != SimulatedStateCodec.SCHEMA) {
                throw TomboloException.error(GuestError.GUEST_STATE_SCHEMA, "the state was written by another driver")
                        .fact("vm", context.spec().name()).fact("found", blob.schema())
                        .fact("expected", SimulatedStateCodec.SCHEMA).next("restart the VM").build();
            }
            codec.decode(blob.bytes(), blob.length(), state);
            protection.restore(mine, blob);
            return this;
        } catch (RuntimeException e) {
            kill();
            throw e;
        }
    }

    /// Tells of an arrival after the first instruction has been executed, so that telling does not delay it. Between
    /// the CAS and that instruction nothing is allocated and no reference is stored: a page that the core has not
    /// touched for a while costs a microsecond. vCPU 0's thread only.
    private final class Arrival {
        private IncomingPort port;
        private long seenNs;
        private long runningNs;

        void by(IncomingPort incoming) {
            port = incoming;
        }

        void at(long seen, long running) {
            seenNs = seen;
            runningNs = running;
        }

        /// Called before every slice but the first of a stretch, which is the first instruction, and when a stretch
        /// ends.
        void tell() {
            if (runningNs != 0) {
                long running = runningNs;
                runningNs = 0;
                port.running(seenNs, running, runner.startedNs());
            }
        }
    }

    private static <T> T join(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw TomboloException.error(GuestError.GUEST_INTERRUPTED, "interrupted while the guest stops").cause(e)
                    .next("see the agent's log").build();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TomboloException known) {
                throw known;
            }
            throw TomboloException.error(GuestError.GUEST_STOP_FAILED, "the guest failed while it stopped")
                    .fact("cause", e.getCause()).next("see the agent's log").cause(e.getCause()).build();
        }
    }
}
