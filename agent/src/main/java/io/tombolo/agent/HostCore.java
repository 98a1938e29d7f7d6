package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.right.RightActions;
import io.tombolo.agent.right.RightKeeper;
import io.tombolo.agent.right.RightLoop;
import io.tombolo.agent.right.Timings;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.HostSlot;
import io.tombolo.region.Region;
import io.tombolo.region.os.Linux;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// One host incarnation on one region: its board of checks, its right keeper, and what hand-offs ask of a host.
///
/// The agent and its [Rehearsal] make their hosts here and nowhere else, on purpose: compiled code is bound to the
/// classes it has met, lambdas included, and a rehearsal with doubles of its own would have to be compiled again for
/// the real thing.
final class HostCore implements HostPorts, AutoCloseable {
    /// Nobody listens to the moments of hand-offs: the listener of production and of the rehearsal, the same object.
    static final Consumer<HandoffPoint> NO_POINTS = _ -> {
    };

    private final ClaimedSlot claimed;
    private final HostSlot slot;
    private final CheckBoard board;
    private final RightLoop right;
    private final Consumer<HandoffPoint> points;
    private final Windows windows;
    private final Optional<PageLink> pageLink;
    private final RunObserver runs;

    /// How to ask another host to spin.
    @FunctionalInterface
    interface Windows {
        CompletableFuture<WindowEnd> open(Peer target, long intentSeq, int vmSlot, long epoch, long windowNs);
    }

    /// @param pageLink how pages are copied between hosts; empty where none are
    /// @param runs told of every stretch in which a vCPU executes
    HostCore(Region region, ClaimedSlot claimed, Timings timings, boolean supervised, int maxStoringThreads,
            RightActions actions, Consumer<HandoffPoint> points, Windows windows, Optional<PageLink> pageLink,
            RunObserver runs) {
        this.runs = requireNonNull(runs, "runs is null");
        this.pageLink = requireNonNull(pageLink, "pageLink is null");
        requireNonNull(region, "region is null");
        this.claimed = requireNonNull(claimed, "claimed is null");
        this.points = requireNonNull(points, "points is null");
        this.windows = requireNonNull(windows, "windows is null");
        this.slot = region.host(claimed.slot());
        this.board = new CheckBoard(Linux::clockBoottimeNs, slot::wordAcquire, claimed.word(), maxStoringThreads);
        this.right = new RightLoop(new RightKeeper(timings, claimed.word(), supervised), board, actions,
                Linux::clockBoottimeNs, Linux::clockMonotonicNs, slot::wordAcquire, timings);
    }

    RightLoop right() {
        return right;
    }

    ClaimedSlot claimed() {
        return claimed;
    }

    /// The slot word as it is now.
    long word() {
        return slot.wordAcquire();
    }

    @Override
    public int self() {
        return claimed.slot();
    }

    @Override
    public boolean rightHolds() {
        return board.gateOpen() && slot.wordAcquire() == claimed.word();
    }

    @Override
    public CheckBoard board() {
        return board;
    }

    @Override
    public void at(HandoffPoint point) {
        points.accept(point);
    }

    @Override
    public RunObserver runs() {
        return runs;
    }

    @Override
    public long nowNs() {
        return System.nanoTime();
    }

    @Override
    public CompletableFuture<WindowEnd> openWindow(Peer target, long intentSeq, int vmSlot, long epoch, long windowNs) {
        return windows.open(target, intentSeq, vmSlot, epoch, windowNs);
    }

    @Override
    public Optional<PageLink> pageLink() {
        return pageLink;
    }

    @Override
    public void close() {
        right.close();
    }
}
