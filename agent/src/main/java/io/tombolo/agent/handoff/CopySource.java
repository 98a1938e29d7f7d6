package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.CopyCore.Effect;
import io.tombolo.agent.handoff.CopyCore.End;
import io.tombolo.agent.handoff.CopyCore.Event;
import io.tombolo.agent.handoff.CopyCore.Phase;
import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.pages.PageBits;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CopyReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The edge of [CopyCore]: reads local pages of a VM, which is closed for page moves meanwhile, and sends them to the
/// target's agent.
///
/// A thread of its own sends the rounds, the VM's control thread the rest ([#sendRest]); [#cancel] and [#progress] are
/// for any thread. Nothing here stores to the region but the gate's mark at the very end, under the checks of the
/// control thread.
public final class CopySource {
    private static final Logger LOG = LoggerFactory.getLogger(CopySource.class);
    private static final long DRAIN_LOOK_NS = 50_000;
    private static final long ROUND_LOOK_NS = TimeUnit.MILLISECONDS.toNanos(2);
    /// Below the check period of a thread that stores to the region, with which the last round is sent.
    private static final long REST_LOOK_NS = 200_000;
    private static final long THREAD_ENDS_MS = 10_000;
    private static final int SPINS = 1_000;

    private final HostPorts host;
    private final PageLink link;
    private final VmPages pages;
    private final Peer target;
    private final long intentSeq;
    private final long epoch;
    private final PageSender sender;
    private final Consumer<SourceCore.Event> tell;
    private final Thread thread;
    private final long orderedNs;
    private long stopNs;
    /// Pages in this host's own memory, and their frames, since the gate is closed and drained.
    private int[] local = new int[0];
    private long[] frames = new long[0];
    private volatile CopyCore.State state;
    private volatile CoordinatorError refusal = CoordinatorError.MIGRATE_COPY_FAILED;
    private boolean framesGone;

    /// @param tell takes Copied or CopyEnded, once, to the control thread
    CopySource(HostPorts host, PageLink link, VmPages pages, Peer target, long intentSeq, long epoch,
            CopyLimits limits, Consumer<SourceCore.Event> tell) {
        this.host = requireNonNull(host, "host is null");
        this.link = requireNonNull(link, "link is null");
        this.pages = requireNonNull(pages, "pages is null");
        this.target = requireNonNull(target, "target is null");
        this.intentSeq = intentSeq;
        this.epoch = epoch;
        this.tell = requireNonNull(tell, "tell is null");
        this.sender = new PageSender(link.copier(), message -> link.send(target, message), intentSeq,
                pages.slot().index(), epoch);
        this.orderedNs = host.nowNs();
        this.state = CopyCore.State.fresh(new CopyCore.Limits(pages.size().bytes(), limits.downtimeNs(),
                limits.timeNs(), 4 * limits.downtimeNs() + TimeUnit.SECONDS.toNanos(1)), orderedNs);
        this.thread = Thread.ofPlatform().daemon().name("copy-vm-slot-" + pages.slot().index()).unstarted(this::run);
    }

    /// Limits of a copy as they were ordered.
    public record CopyLimits(long downtimeNs, long timeNs) {
    }

    void start() {
        thread.start();
    }

    // ---- the rounds, on the copy's own thread

    private void run() {
        SourceCore.Event last = new SourceCore.Event.CopyEnded(intentSeq, "the copy failed; see the agent's log");
        try {
            Effect effect = drain();
            while (effect == Effect.SEND_ROUND) {
                effect = round();
            }
            last = effect == Effect.STOP_GUEST
                    ? new SourceCore.Event.Copied(intentSeq)
                    : new SourceCore.Event.CopyEnded(intentSeq, state.reason());
            LOG.info("vm slot {}: copy to {}: {} after {} rounds, {} pages sent{}", pages.slot().index(),
                    target.host(), state.phase(), state.round(), state.pagesSent(),
                    state.reason().isEmpty() ? "" : ": " + state.reason());
        } catch (RuntimeException | Error e) {
            LOG.error("vm slot {}: the copy failed", pages.slot().index(), e);
            feed(new Event.Failed(e.toString()));
            last = new SourceCore.Event.CopyEnded(intentSeq, e.toString());
        } finally {
            stopNs = host.nowNs();
            tell.accept(last);
        }
    }

    private synchronized Effect feed(Event event) {
        CopyCore.Step step = CopyCore.step(state, event, host.nowNs());
        state = step.state();
        return step.effect();
    }

    private boolean goesOn() {
        feed(new Event.Tick());
        return state.phase() != Phase.ENDED && !Thread.currentThread().isInterrupted();
    }

    /// Page moves that are in flight end, none begins any more; then the entries stand still.
    private Effect drain() {
        while (!pages.drained()) {
            if (!goesOn()) {
                return Effect.END;
            }
            LockSupport.parkNanos(this, DRAIN_LOOK_NS);
        }
        int count = 0;
        int[] found = new int[Math.toIntExact(pages.table().pages())];
        long[] where = new long[found.length];
        for (int page = 0; page < found.length; page++) {
            long entry = pages.table().entryAcquire(page);
            if (PageTableEntry.state(entry) == PteState.ABSENT || PageTableEntry.tier(entry) == Tier.SHARED) {
                continue;
            }
            if (!PageTableEntry.isPresent(entry)) {
                return feed(new Event.Failed("page " + page + " is " + PageTableEntry.describe(entry)));
            }
            if (pages.pins().isPinned(page)) {
                return refuse(CoordinatorError.MIGRATE_PAGES_PINNED, "page " + page + " is pinned where it is");
            }
            found[count] = page;
            where[count++] = PageTableEntry.frame(entry);
        }
        local = Arrays.copyOf(found, count);
        frames = Arrays.copyOf(where, count);
        return feed(new Event.Drained(count));
    }

    private Effect refuse(CoordinatorError code, String reason) {
        refusal = code;
        return feed(new Event.Failed(reason));
    }

    private Effect round() {
        boolean first = state.round() == 1;
        int[] which = first ? everyPlace() : dirtyPlaces();
        host.at(HandoffPoint.SOURCE_COPYING);
        clear(which);
        try {
            if (!awaitShootdown()) {
                return Effect.END;
            }
            for (int place : which) {
                send(place, this::goesOn, ROUND_LOOK_NS);
                feed(new Event.Sent(1));
            }
            sender.flush(this::goesOn, ROUND_LOOK_NS);
        } catch (PageSender.NotSentException e) {
            return feed(new Event.Failed(e.getMessage()));
        }
        return feed(new Event.RoundEnded(countDirty()));
    }

    private int[] everyPlace() {
        int[] which = new int[local.length];
        Arrays.setAll(which, i -> i);
        return which;
    }

    private int[] dirtyPlaces() {
        int[] which = new int[local.length];
        int n = 0;
        for (int i = 0; i < local.length; i++) {
            if (pages.bits().isDirty(local[i])) {
                which[n++] = i;
            }
        }
        return Arrays.copyOf(which, n);
    }

    private long countDirty() {
        long dirty = 0;
        for (int page : local) {
            dirty += pages.bits().isDirty(page) ? 1 : 0;
        }
        return dirty;
    }

    private void clear(int[] places) {
        for (int place : places) {
            pages.bits().clear(local[place], PageBits.DIRTY);
        }
    }

    /// A vCPU that has seen a mark set before it was cleared writes without setting it, until its slice ends.
    private boolean awaitShootdown() {
        long number = pages.shootdown().begin();
        for (int spins = 0; !pages.shootdown().isPast(number); spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else if (!goesOn()) {
                return false;
            } else {
                LockSupport.parkNanos(this, DRAIN_LOOK_NS);
            }
        }
        return true;
    }

    private void send(int place, BooleanSupplier goOn, long lookNs)
            throws PageSender.NotSentException {
        int units = pages.size().frames();
        MemorySegment tier = pages.localData();
        sender.add(tier, frames[place] * PageSender.UNIT_BYTES, (long) local[place] * units, units, goOn, lookNs);
    }

    // ---- the rest, on the control thread

    /// With the guest stopped: sends what is dirty, has the target say that it has everything, and marks the gate.
    /// False if that failed or was cancelled: then nothing was stored, and the guest may run on.
    ///
    /// @param checker of this thread, started; it is asked all the while
    boolean sendRest(CheckBoard.Checker checker) {
        int[] which = dirtyPlaces();
        if (feed(new Event.Stopped(which.length)) != Effect.SEND_REST) {
            return false;
        }
        host.at(HandoffPoint.SOURCE_REST);
        try {
            clear(which);
            for (int i = 0; i < which.length; i++) {
                send(which[i], () -> mayStore(checker), REST_LOOK_NS);
                feed(new Event.Sent(1));
                if (i % 64 == 0 && !mayStore(checker)) {
                    return failed(which, "given up");
                }
            }
            sender.flush(() -> mayStore(checker), REST_LOOK_NS);
            PageSender.await(
                    link.send(target, new AgentRequest.SealCopy(intentSeq, pages.slot().index(), epoch)),
                    () -> mayStore(checker), REST_LOOK_NS);
        } catch (PageSender.NotSentException e) {
            return failed(which, e.getMessage());
        }
        feed(new Event.Sealed());
        if (state.phase() != Phase.SENT || !checker.check()) {
            return failed(which, "this host's right lapsed");
        }
        if (local.length > 0) {
            pages.gate().markCopied();
        }
        return true;
    }

    private boolean failed(int[] which, String reason) {
        // What was cleared is dirty: nobody has it.
        for (int place : which) {
            pages.bits().written(local[place]);
        }
        feed(new Event.Failed(reason));
        return false;
    }

    private boolean mayStore(CheckBoard.Checker checker) {
        return checker.check() && goesOn();
    }

    // ---- the end

    /// Any thread: sends nothing more, unless the target has everything already.
    void cancel() {
        feed(new Event.Cancel("cancelled"));
    }

    /// Control thread: ends the copy's thread; nothing reads guest memory when this returns.
    void end() {
        cancel();
        if (!thread.isAlive()) {
            return;
        }
        thread.interrupt();
        try {
            thread.join(THREAD_ENDS_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.error("vm slot {}: the copy's thread does not end", pages.slot().index());
        }
    }

    /// The VM is another host's, and no thread of this one uses its memory: gives the frames of its pages back, which
    /// its entries do not name any more.
    void giveFramesBack() {
        if (!framesGone && state.phase() == Phase.SENT) {
            framesGone = true;
            pages.local().give(pages.size(), frames, frames.length);
        }
    }

    /// Any thread.
    Reply.CopyProgress progress() {
        CopyCore.State now = state;
        boolean over = now.phase() == Phase.SENT || now.phase() == Phase.ENDED;
        return over
                ? new Reply.CopyProgress(0, 0, 0, 0)
                : new Reply.CopyProgress(Math.max(1, now.round()), now.roundDone(), now.roundPages(),
                        now.bytesPerSecond());
    }

    long intentSeq() {
        return intentSeq;
    }

    /// What it cost, and the code of what ended it; the code is empty when nothing did.
    Outcome outcome() {
        CopyCore.State now = state;
        String code = switch (now.end()) {
            case NONE, CANCELLED -> "";
            case NOT_CONVERGED -> CoordinatorError.MIGRATE_NOT_CONVERGED.name();
            case FAILED -> refusal.name();
        };
        return new Outcome(new CopyReport(now.round(), local.length, now.pagesSent(), sender.bytesSent(),
                Math.max(0, stopNs - orderedNs)), code, now.end() == End.NONE ? "" : now.reason());
    }

    /// How a copy ended.
    record Outcome(CopyReport report, String code, String reason) {
        static final Outcome NONE = new Outcome(CopyReport.UNKNOWN, "", "");
    }
}
