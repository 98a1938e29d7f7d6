package io.tombolo.agent.takeover;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffError;
import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestError;
import io.tombolo.agent.hypervisor.RestoringGuest;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.Blob;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.RegionError;
import io.tombolo.region.Takeover;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries out what [TakeoverCore] says, on the VM's control thread. While it stores it is on the board of checks, and
/// its check asks for the owner word that it has taken and for the right under which it was taken.
public final class VmTakeover {
    private static final Logger LOG = LoggerFactory.getLogger(VmTakeover.class);

    private final Region region;
    private final VmSlot slot;
    private final int self;
    private final String name;
    private final TakeoverPorts ports;
    private final Consumer<TakeoverCore.State> told;
    private final int closings;
    private final ArrayDeque<TakeoverCore.Event> queue = new ArrayDeque<>();
    private TakeoverCore.State state;
    private boolean feeding;
    private Blob blob;
    private boolean launched;
    private RestoringGuest waiting;
    private Guest guest;

    /// @param told of every state
    public VmTakeover(Region region, VmSlot slot, int self, String name, TakeoverPorts ports,
            Consumer<TakeoverCore.State> told) {
        this.region = requireNonNull(region, "region is null");
        this.slot = requireNonNull(slot, "slot is null");
        this.self = self;
        this.name = requireNonNull(name, "name is null");
        this.ports = requireNonNull(ports, "ports is null");
        this.told = requireNonNull(told, "told is null");
        this.closings = ports.board().closings();
    }

    /// Takes the owner word and seals the commit word; the rest goes on by itself.
    ///
    /// @param ownerEpoch epoch of the owner word that was judged
    /// @return the epoch of the owner word that is now this host's
    public long begin(long ownerEpoch) {
        long owner = slot.ownerAcquire();
        if (OwnerWord.epoch(owner) != ownerEpoch) {
            throw changed(owner, ownerEpoch);
        }
        long mine;
        try (CheckBoard.Checker checker = checker(() -> true)) {
            if (!ports.rightHolds() || !checker.start()) {
                throw TomboloException.error(HandoffError.RIGHT_LAPSED, "this host may not run VMs now")
                        .fact("operation", "take over").next("choose another host").build();
            }
            mine = Takeover.begin(region, slot, self, owner);
        }
        if (mine == 0) {
            throw changed(slot.ownerAcquire(), ownerEpoch);
        }
        LOG.warn("vm {}: taken over: {} -> {}", name, OwnerWord.describe(owner), OwnerWord.describe(mine));
        TakeoverCore.Step first = TakeoverCore.begun(mine, Takeover.inDoubt(region, slot, mine), ports.nowNs());
        state = first.state();
        told.accept(state);
        first.effects().forEach(this::carryOut);
        return OwnerWord.epoch(mine);
    }

    private TomboloException changed(long found, long epoch) {
        return TomboloException.error(HandoffError.OWNER_CHANGED, "the owner word is not the one that was judged")
                .fact("vm", name).fact("expectedEpoch", epoch).fact("found", OwnerWord.describe(found))
                .next("'tombolo vm show' tells who owns it now").build();
    }

    /// Whether nothing more happens.
    public boolean isOver() {
        return state == null || state.isOver();
    }

    /// Epoch of the owner word that was taken.
    public long epoch() {
        return OwnerWord.epoch(state.mine());
    }

    /// This host is leaving, or has lost its right: it stores nothing more.
    public void abandon() {
        if (state != null) {
            feed(new TakeoverCore.Event.Abandoned());
        }
    }

    /// One after the other, also those that come of carrying out another one's effects.
    private void feed(TakeoverCore.Event event) {
        queue.add(event);
        if (feeding) {
            return;
        }
        feeding = true;
        try {
            while (!queue.isEmpty()) {
                TakeoverCore.State before = state;
                TakeoverCore.Step step = TakeoverCore.step(before, queue.remove(), ports.nowNs());
                state = step.state();
                if (before.phase() != state.phase()) {
                    LOG.info("vm {}: takeover: {} {}", name, state.phase(), state.reason());
                }
                told.accept(state);
                step.effects().forEach(this::carryOut);
            }
        } finally {
            feeding = false;
        }
    }

    private void carryOut(TakeoverCore.Effect effect) {
        switch (effect) {
            case TakeoverCore.Effect.Look(long delayNs) -> ports.after(this::look, delayNs);
            case TakeoverCore.Effect.Recover _ -> storing(this::recover);
            case TakeoverCore.Effect.Restore _ -> attempt(this::restore);
            case TakeoverCore.Effect.Finish(OwnerState to) -> storing(_ -> finish(to));
            case TakeoverCore.Effect.Adopt _ -> {
                Guest ours = guest;
                guest = null;
                ports.adopt(ours, epoch(), state.paused());
            }
            case TakeoverCore.Effect.Leave _ -> {
                if (guest != null) {
                    guest.kill();
                }
                if (waiting != null) {
                    waiting.discard();
                }
                ports.leave();
            }
        }
    }

    private void look() {
        if (isOver()) {
            return;
        }
        boolean ours = slot.ownerAcquire() == state.mine();
        if (ours && !launched && !state.doubts().isEmpty()) {
            launched = true;
            prelaunch();
        }
        feed(new TakeoverCore.Event.Looked(holds(), ours,
                ours ? Takeover.inDoubt(region, slot, state.mine()) : List.of()));
    }

    /// What keeps it from being made is told when it is needed.
    private void prelaunch() {
        try {
            waiting = ports.restoring();
        } catch (TomboloException e) {
            LOG.info("vm {}: no guest yet: {}", name, e.getMessage());
        }
    }

    private boolean holds() {
        return ports.rightHolds() && ports.board().closings() == closings;
    }

    private CheckBoard.Checker checker(BooleanSupplier holds) {
        return ports.board().register("takeover of vm slot " + slot.index(), holds);
    }

    private void storing(Consumer<CheckBoard.Checker> task) {
        attempt(() -> {
            long mine = state.mine();
            try (CheckBoard.Checker checker = checker(() -> slot.ownerAcquire() == mine)) {
                if (!checker.start() || ports.board().closings() != closings) {
                    feed(new TakeoverCore.Event.Failed(HandoffError.RIGHT_LAPSED.name(), false));
                    return;
                }
                task.accept(checker);
            }
        });
    }

    private void attempt(Runnable task) {
        try {
            task.run();
        } catch (TomboloException e) {
            LOG.error("vm {}: takeover failed in {}", name, state.phase(), e);
            if (e.code() == RegionError.REGION_HOST_NOT_CONFIRMED) {
                // Somebody with a longer list of doubts was here between our look and our step.
                feed(new TakeoverCore.Event.Failed(e.code().name(), false));
            } else {
                feed(new TakeoverCore.Event.Failed(e.code().name(), isHopeless(e)));
            }
            // A bug must leave the VM to the next host, and nothing of it here.
        } catch (RuntimeException e) {
            LOG.error("vm {}: takeover failed in {}", name, state.phase(), e);
            feed(new TakeoverCore.Event.Failed(CoordinatorError.RPC_HANDLER_FAILED.name(), false));
        }
    }

    /// A driver that cannot restore such a guest cannot do it at another host either.
    private static boolean isHopeless(TomboloException e) {
        return e.code() == GuestError.VM_PROTECT_UNSUPPORTED || e.code() == GuestError.GUEST_STATE_SCHEMA;
    }

    private void recover(CheckBoard.Checker checker) {
        MemorySegment into = Arena.ofAuto().allocate(region.superblock().metadataSlotBytes());
        Takeover.Recovered found = Takeover.recover(region, slot, state.mine(), into, () -> requireRight(checker));
        blob = found.state();
        String code = found.isResumable() ? "" : lostCode(found);
        if (!code.isEmpty()) {
            LOG.error("vm {}: cannot go on: {}", name, found.lostReason());
        }
        feed(new TakeoverCore.Event.Recovered(code, found.isResumable() && blob.paused(), found.pagesRolledBack()));
    }

    /// A whole VM is more than may be stored after one look at the right.
    private void requireRight(CheckBoard.Checker checker) {
        if (!checker.check()) {
            throw TomboloException.error(HandoffError.RIGHT_LAPSED, "this host lost its right in the middle")
                    .fact("vm", name).fact("owner", OwnerWord.describe(slot.ownerAcquire()))
                    .next("another host goes on with it").build();
        }
    }

    private static String lostCode(Takeover.Recovered found) {
        if (found.localPages() > 0) {
            return CoordinatorError.VM_LOST_LOCAL_PAGES.name();
        }
        return found.lostReason().startsWith("its saved state is damaged")
                ? CoordinatorError.VM_LOST_STATE_DAMAGED.name()
                : CoordinatorError.VM_LOST_NOT_PROTECTED.name();
    }

    private void restore() {
        RestoringGuest next = waiting == null ? ports.restoring() : waiting;
        waiting = null;
        guest = next.restore(blob, state.mine());
        blob = null;
        feed(new TakeoverCore.Event.Restored());
    }

    private void finish(OwnerState to) {
        if (to == OwnerState.RUNNING || to == OwnerState.PAUSED) {
            ports.expect(to, epoch(), closings);
        }
        feed(new TakeoverCore.Event.Finished(Takeover.finish(region, slot, state.mine(), to)));
    }
}
