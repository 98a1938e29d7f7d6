package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.OfferResult.Outcome;
import io.tombolo.agent.qemu.GuestConsole;
import io.tombolo.agent.qemu.LoadResult;
import io.tombolo.agent.qemu.QemuGuest;
import io.tombolo.agent.qemu.QmpEvent;
import io.tombolo.agent.qemu.SaveResult;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.region.Blob;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One QEMU guest behind the driver's interface.
///
/// QEMU cannot look at its own right, so a thread of the agent does it every check period on behalf of the whole
/// process and stops the guest by QMP when the answer is no. While that takes its time the thread's cell on the board
/// ages, the pets stop, and the supervisor kills the group with QEMU in it.
final class QemuVm implements Guest, IncomingGuest {
    /// QEMU's migration stream as it is; docs/qemu.md. The number goes into the metadata header.
    static final int SCHEMA = 0x514d_0001;

    private static final Logger LOG = LoggerFactory.getLogger(QemuVm.class);
    private static final long CHECK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long STATE_TIMEOUT_MS = 10_000;
    /// In a window the thread naps instead of spinning: on a small machine it would take the core from QEMU's own
    /// threads.
    private static final long NAP_NS = 20_000;
    private static final long LOOK_NS = 1_000_000;

    private final GuestContext context;
    private final QemuGuest qemu;
    private final GuestConsole console;
    private final CheckBoard.Checker checker;
    private final Thread watch;
    private Thread waiter;
    private volatile boolean running;
    private volatile boolean dead;
    private volatile boolean failed;
    private volatile String note = "";
    private volatile long windowUntilNs;
    private volatile boolean windowAsked;

    QemuVm(GuestContext context, QemuGuest qemu, Path consoleFile) {
        this.context = requireNonNull(context, "context is null");
        this.qemu = requireNonNull(qemu, "qemu is null");
        this.console = new GuestConsole(consoleFile);
        String name = context.spec().name();
        this.checker = context.board().register("qemu " + name, context.ownerHolds());
        this.watch = Thread.ofPlatform().daemon().name("vm-" + name + "-right").start(this::watch);
        var _ = qemu.endedByItself().thenAccept(this::ended);
    }

    private void ended(String why) {
        failed = true;
        note = why;
        running = false;
        context.stoppedByItself().accept(why);
    }

    // ---- the right ----

    /// Looks at the right for QEMU while the guest runs; asleep otherwise.
    private void watch() {
        while (!dead) {
            if (!running) {
                checker.stopped();
                LockSupport.park(this);
            } else if (checker.check()) {
                LockSupport.parkNanos(this, CHECK_NS);
            } else {
                lapse();
            }
        }
        checker.close();
    }

    private void lapse() {
        try {
            qemu.stop();
        } catch (TomboloException e) {
            // A QEMU that does not stop when told may go on storing: only its death is certain.
            LOG.error("vm {}: does not stop: {}", context.spec().name(), e.getMessage());
            qemu.kill();
            failed = true;
            note = e.getMessage();
        }
        running = false;
        context.stoppedByItself().accept("the right to run lapsed");
    }

    private void begin() {
        if (!checker.start()) {
            throw TomboloException.error(GuestError.GUEST_NO_RIGHT, "the host has no right to run the VM now")
                    .fact("vm", context.spec().name()).next("it runs again when the right is fresh").build();
        }
        running = true;
        LockSupport.unpark(watch);
    }

    // ---- running ----

    @Override
    public void run() {
        if (!running) {
            try {
                begin();
                qemu.cont();
            } catch (TomboloException e) {
                running = false;
                if (e.code() != GuestError.GUEST_NO_RIGHT) {
                    throw e;
                }
                LOG.info("vm {}: {}", context.spec().name(), e.getMessage());
            }
        }
    }

    @Override
    public void stop() {
        if (running) {
            qemu.stop();
            running = false;
        }
    }

    @Override
    public OfferResult offer(OfferPort port) {
        SaveResult saved;
        try {
            saved = qemu.saveState(port.payload(), STATE_TIMEOUT_MS);
        } catch (TomboloException e) {
            boolean runs = "running".equals(e.facts().get("guest"));
            running = running && runs;
            LOG.warn("vm {}: state not saved: {}", context.spec().name(), e.getMessage());
            return OfferResult.failed(runs, e.getMessage());
        }
        boolean won = port.offer(saved.length(), SCHEMA);
        long offeredNs = System.nanoTime();
        running = false;
        return new OfferResult(won ? Outcome.OFFERED : Outcome.CAS_LOST, "", saved.stopEventNs(), saved.completedNs(),
                offeredNs, saved.length());
    }

    @Override
    public void reclaim() {
        qemu.awaitSettled();
    }

    @Override
    public int saveStopped(OfferPort port) {
        // QEMU gives its state out by a migration only, and after that it is not the same guest any more.
        return 0;
    }

    @Override
    public void kill() {
        dead = true;
        running = false;
        qemu.kill();
        LockSupport.unpark(watch);
        Thread waiting = waiter;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }

    @Override
    public GuestFacts facts() {
        Optional<GuestConsole.Beat> beat = console.latest();
        String complaint = console.complaint();
        return new GuestFacts(running && !failed, List.of(), beat.map(GuestConsole.Beat::iterations).orElse(-1L),
                beat.map(GuestConsole.Beat::errors).orElse(-1L), failed, complaint.isEmpty() ? note : complaint);
    }

    @Override
    public CompletableFuture<GuestReply> call(GuestCall call) {
        return CompletableFuture.failedFuture(
                TomboloException.error(GuestError.GUEST_NO_CALLS, "a Linux guest takes no client requests here")
                        .fact("vm", call.vm()).next("use the simulated driver with program kv or bank").build());
    }

    @Override
    public List<InputEntry> inputLog() {
        return List.of();
    }

    // ---- arriving ----

    QemuVm await(IncomingPort port) {
        waiter = Thread.ofPlatform().daemon().name("vm-" + context.spec().name() + "-incoming")
                .start(() -> waitFor(port));
        return this;
    }

    @Override
    public void openWindow(long spinNs) {
        windowUntilNs = System.nanoTime() + spinNs;
        windowAsked = true;
        LockSupport.unpark(waiter);
    }

    @Override
    public Guest guest() {
        return this;
    }

    @Override
    public void discard() {
        kill();
    }

    private void waitFor(IncomingPort port) {
        // Naps shorter than the usual slack are of no use with it.
        Linux.setTimerSlack(NAP_NS / 10);
        boolean window = false;
        while (!dead) {
            if (port.offered()) {
                long seenNs = System.nanoTime();
                if (arrive(port, seenNs)) {
                    return;
                }
            } else if (windowAsked) {
                windowAsked = false;
                window = true;
                port.spinning();
            } else if (window && System.nanoTime() - windowUntilNs >= 0) {
                window = false;
                port.windowPassed();
            } else {
                LockSupport.parkNanos(this, window ? NAP_NS : LOOK_NS);
            }
        }
    }

    /// True when this thread has nothing more to wait for, the guest having arrived or being of no use any more.
    private boolean arrive(IncomingPort port, long seenNs) {
        Blob blob;
        try {
            blob = port.take();
            if (blob.schema() != SCHEMA) {
                throw TomboloException.error(GuestError.GUEST_STATE_SCHEMA, "the state is not QEMU's")
                        .fact("found", blob.schema()).fact("expected", SCHEMA).next("tombolo region inspect").build();
            }
        } catch (TomboloException e) {
            port.refused(e.getMessage());
            return true;
        }
        if (!port.claim()) {
            return false;
        }
        long runningNs;
        try {
            LoadResult loaded = qemu.loadState(blob.bytes(), blob.length(), STATE_TIMEOUT_MS);
            LOG.debug("vm {}: loaded: {}", context.spec().name(), loaded);
            if (!port.run()) {
                // Only a takeover changes a claimed word, and then the VM is somebody else's.
                qemu.kill();
                return true;
            }
            runningNs = System.nanoTime();
        } catch (TomboloException e) {
            // First our QEMU, which may have written guest memory, then the offer back.
            qemu.kill();
            port.refused(e.getMessage());
            return true;
        }
        long firstInstructionNs = 0;
        try {
            begin();
            QmpEvent resumed = qemu.cont();
            firstInstructionNs = resumed.atNs();
        } catch (TomboloException e) {
            // The VM is ours and stopped; a fresh right, or a person who reads the reason, goes on from here.
            running = false;
            note = e.getMessage();
            failed = !qemu.isAlive();
            LOG.warn("vm {}: arrived and does not run: {}", context.spec().name(), e.getMessage());
        }
        port.running(seenNs, runningNs, firstInstructionNs);
        return true;
    }
}
