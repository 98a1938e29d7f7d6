package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.ProtectedPages;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.sim.Checkpointer;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.RequestQueue;
import io.tombolo.agent.sim.RightCheck;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.sim.VcpuRunner;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.Blob;
import io.tombolo.region.CommitWord;
import io.tombolo.region.ErrorCode;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageCheckpoint;
import io.tombolo.region.PageSize;
import io.tombolo.region.Protection;
import io.tombolo.region.Region;
import io.tombolo.region.Takeover;
import io.tombolo.region.TomboloException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// The protection of one simulated guest: how it begins, arrives with the guest, and ends. What happens in between is
/// the [Checkpointer]'s.
///
/// Called with the vCPUs stopped, on the VM's control thread, or by the vCPU that takes the guest; [#facts] from any
/// thread.
final class GuestProtection {
    private final GuestContext context;
    private final Region region;
    private final FrameAllocator allocator;
    private final VmPages pages;
    private final SimulatedState state;
    private final RequestQueue requests;
    private final RightCheck right;
    private final PagedMemory[] memories;
    private VcpuRunner runner;
    /// Made before the VM arrives, so that nothing is when it does.
    private Checkpointer prepared;
    private volatile Checkpointer current;

    GuestProtection(GuestContext context, Region region, FrameAllocator allocator, VmPages pages, SimulatedState state,
            RequestQueue requests, RightCheck right, PagedMemory[] memories) {
        this.context = requireNonNull(context, "context is null");
        this.region = requireNonNull(region, "region is null");
        this.allocator = requireNonNull(allocator, "allocator is null");
        this.pages = requireNonNull(pages, "pages is null");
        this.state = requireNonNull(state, "state is null");
        this.requests = requireNonNull(requests, "requests is null");
        this.right = requireNonNull(right, "right is null");
        this.memories = requireNonNull(memories, "memories is null");
    }

    void of(VcpuRunner vcpus) {
        runner = vcpus;
    }

    boolean isOn() {
        return current != null;
    }

    void start(long ownerEpoch, int checkpointUs) {
        requireProtectable();
        PageCheckpoint checkpoint = asStoring(ownedAt(ownerEpoch),
                () -> Protection.start(region, allocator, context.slot(), checkpointUs));
        Checkpointer next = checkpointer(checkpoint, checkpointUs);
        if (!next.commitStopped(ownerEpoch, false)) {
            throw takenOver();
        }
        begin(next);
    }

    private void requireProtectable() {
        if (pages.size() != PageSize.SMALL) {
            throw refused(GuestError.VM_PROTECT_LARGE_PAGES, "a VM with pages of 2 MiB cannot be protected")
                    .next("create it with --page-size 4K").build();
        }
        long local = context.slot().localPagesAcquire();
        if (local != 0) {
            throw refused(CoordinatorError.VM_HAS_LOCAL_PAGES, "pages of the VM are in a local tier")
                    .fact("localPages", local)
                    .next("move them first: tombolo vm move-pages " + context.spec().name() + " --to shared").build();
        }
    }

    void stop(long ownerEpoch) {
        Checkpointer present = current;
        if (present == null) {
            return;
        }
        if (!commit(ownerEpoch, false)
                || !asStoring(ownedAt(ownerEpoch), () -> Protection.stop(present.checkpoint()))) {
            throw takenOver();
        }
        present.end();
        runner.commits(null);
        current = null;
    }

    /// Of a guest that waits for a VM: everything that can be made before it comes.
    void prepare() {
        if (!CommitWord.isProtected(context.slot().commitAcquire())) {
            return;
        }
        PageCheckpoint checkpoint = asStoring(() -> true,
                () -> Protection.prepare(region, allocator, context.slot()));
        prepared = checkpointer(checkpoint, context.slot().checkpointUs());
    }

    /// The VM is this host's, with this state; before its first instruction.
    void arrive(Blob blob) {
        if (!CommitWord.isProtected(context.slot().commitAcquire())) {
            return;
        }
        if (prepared == null) {
            prepare();
        }
        Checkpointer next = prepared;
        prepared = null;
        next.checkpoint().arrive(blob);
        begin(next);
    }

    /// The VM is taken over, the state is in place.
    void restore(long mine, Blob blob) {
        if (!CommitWord.isProtected(context.slot().commitAcquire())) {
            return;
        }
        PageCheckpoint checkpoint = asStoring(() -> context.slot().ownerAcquire() == mine,
                () -> Takeover.checkpoint(region, allocator, context.slot(), mine, blob));
        Checkpointer next = checkpointer(checkpoint, context.slot().checkpointUs());
        if (!next.commitStopped(OwnerWord.epoch(mine), blob.paused())) {
            throw takenOver();
        }
        begin(next);
    }

    private Checkpointer checkpointer(PageCheckpoint checkpoint, int checkpointUs) {
        int vcpus = memories.length;
        return new Checkpointer(new ProtectedPages(checkpoint, pages.table().pages(), vcpus), pages, state,
                new SimulatedStateCodec(state.spec()), context.ownerEpoch(), checkpointUs * 1000L, right, memories,
                requests);
    }

    private void begin(Checkpointer next) {
        next.begin();
        runner.commits(next);
        current = next;
    }

    /// False if the VM is being taken over, and then nothing may leave it.
    boolean commit(long ownerEpoch, boolean paused) {
        return current.commitStopped(ownerEpoch, paused);
    }

    int stateBytes() {
        return current.stateBytes();
    }

    /// Nothing more is committed here: what waits for a commit is told that.
    void fail() {
        Checkpointer present = current;
        if (present != null) {
            present.fail(() -> refused(GuestError.GUEST_OUTCOME_UNKNOWN,
                    "the VM was lost while the request waited for its checkpoint; it may have been executed")
                    .next("send it again, with the same client and number, to the VM's owner").build());
        }
    }

    /// The guest has left this host, or never came: the frames that it has in stock go back. Without the right that is
    /// for whoever recovers this host.
    void close() {
        for (Checkpointer each : new Checkpointer[]{prepared, current}) {
            if (each != null) {
                try (CheckBoard.Checker checker = checker(() -> true)) {
                    if (checker.start()) {
                        each.checkpoint().close();
                    }
                }
            }
        }
        prepared = null;
    }

    private BooleanSupplier ownedAt(long ownerEpoch) {
        long word = context.slot().ownerAcquire();
        return () -> OwnerWord.epoch(word) == ownerEpoch && context.slot().ownerAcquire() == word;
    }

    private <T> T asStoring(BooleanSupplier holds, Supplier<T> task) {
        try (CheckBoard.Checker checker = checker(holds)) {
            if (!checker.start()) {
                throw refused(GuestError.GUEST_NO_RIGHT, "this host may not store to the VM now")
                        .next("'tombolo host show' says why").build();
            }
            return task.get();
        }
    }

    private CheckBoard.Checker checker(BooleanSupplier holds) {
        return context.board().register("protection " + context.spec().name(), holds);
    }

    TomboloException takenOver() {
        return refused(GuestError.VM_TAKEN_OVER, "another host has taken the VM over")
                .fact("owner", OwnerWord.describe(context.slot().ownerAcquire()))
                .next("'tombolo vm show' tells who owns it now").build();
    }

    private TomboloException.Builder refused(ErrorCode code, String what) {
        return TomboloException.error(code, what).fact("vm", context.spec().name());
    }

    ProtectionFacts facts() {
        Checkpointer present = current;
        if (present == null) {
            return ProtectionFacts.NONE;
        }
        PageCheckpoint checkpoint = present.checkpoint();
        return new ProtectionFacts(true, checkpoint.interval() - 1, (int) (present.intervalNs() / 1000),
                checkpoint.commits(), present.earlyCommits(), present.lastDirty(), present.meanDirty(),
                present.pauses().quantileNs(0.5), present.pauses().quantileNs(0.99), present.pauses().maxNs(),
                checkpoint.preimageFrames(), checkpoint.preimageLimit());
    }
}
