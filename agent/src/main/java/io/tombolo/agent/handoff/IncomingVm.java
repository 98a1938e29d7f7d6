package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.IncomingPort;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.Blob;
import io.tombolo.region.CommitWord;
import io.tombolo.region.FromWord;
import io.tombolo.region.MetadataSlot;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmGate;
import io.tombolo.region.VmSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The straight-line part of a hand-off on the target: from the load that sees the offer to the CAS that takes it.
///
/// Used by the waiting guest's first thread. Between `offered` and `run` nothing allocates, locks or calls the system,
/// so the only thing that can lengthen it is the scheduler.
///
/// The word is taken as seen: if fencing raised the epoch of the offer in between, the CAS fails and `offered` sees the
/// new word.
final class IncomingVm implements IncomingPort {
    private static final Logger LOG = LoggerFactory.getLogger(IncomingVm.class);

    private final VmSlot slot;
    private final UUID vm;
    private final HostPorts host;
    private final long preparedEpoch;
    private final CopyTarget pages;
    private final Listener listener;
    private final MetadataSlot metadata;
    private final MetadataSlot[] committed;
    private final MemorySegment copy;
    private long beats;
    private long seen;
    private long taken;
    private boolean copied;
    private int closings;
    /// Whether the thread acts on an offer, or has been told not to: it must not take a VM whose guest is being
    /// discarded. From the end of the compare-and-set on the owner word says it.
    private final AtomicReference<Hold> hold = new AtomicReference<>(Hold.LOOKS);

    private enum Hold {
        LOOKS, ACTS, CALLED_OFF
    }

    /// Told how it went, on the waiting thread.
    interface Listener {
        /// The owner word is ours, RUNNING: from here the thread's checks find it so. `closings`: see [RunRight#set].
        void owns(long word, int closings);

        void spinning();

        void running(long word, long seenNs, long runningNs, long firstInstructionNs);

        void windowPassed();

        void refused(String reason);
    }

    /// @param pages where the pages of the VM were copied to; null if they stay where they are
    IncomingVm(VmSlot slot, UUID vm, HostPorts host, long preparedEpoch, CopyTarget pages, Listener listener) {
        this.pages = pages;
        this.slot = requireNonNull(slot, "slot is null");
        this.vm = requireNonNull(vm, "vm is null");
        this.host = requireNonNull(host, "host is null");
        this.preparedEpoch = preparedEpoch;
        this.listener = requireNonNull(listener, "listener is null");
        this.metadata = SlotOffer.metadata(slot, preparedEpoch + 1);
        this.committed = new MetadataSlot[]{slot.metadata(0), slot.metadata(1)};
        // Collected with this object: a preparation is rare, closing a shared arena costs a handshake with every
        // thread.
        this.copy = Arena.ofAuto().allocate(metadata.capacity(), 64);
    }

    @Override
    public boolean offered() {
        long word = slot.ownerAcquire();
        if (OwnerWord.state(word) != OwnerState.OFFERED || OwnerWord.slot(word) != host.self()
                || OwnerWord.epoch(word) <= preparedEpoch) {
            looks();
            return false;
        }
        closings = host.closings();
        if (!host.rightHolds()) {
            looks();
            return false;
        }
        // A thread that spins looks once more before it acts.
        if (hold.get() != Hold.ACTS && !hold.compareAndSet(Hold.LOOKS, Hold.ACTS)) {
            return false;
        }
        seen = word;
        host.at(HandoffPoint.TARGET_SEEN);
        return true;
    }

    @Override
    public Blob take() {
        // The blob carries the epoch it was offered at. Fencing may have raised the word since; the offer's own epoch
        // is the one after the owner's.
        long gate = slot.gate().wordAcquire();
        long local = slot.localPagesAcquire();
        copied = VmGate.isCopied(gate);
        boolean canCome = copied ? pages != null && pages.isSealed() : local == 0;
        if (!VmGate.isClosed(gate) || VmGate.count(gate) != 0 || !canCome) {
            throw TomboloException.error(HandoffError.PAGES_IN_FLIGHT, "the VM was offered with pages that cannot come")
                    .fact("slot", slot.index()).fact("gate", VmGate.describe(gate)).fact("localPages", local)
                    .next("see the source agent's log; the VM goes back to it").build();
        }
        long commit = slot.commitAcquire();
        // The offer of a protected VM is a commit, made by the owner at its own epoch.
        Blob blob = CommitWord.isProtected(commit)
                ? committed[CommitWord.slot(commit)].readChecked(preparedEpoch, vm, copy)
                : metadata.readChecked(preparedEpoch + 1, vm, copy);
        host.at(HandoffPoint.TARGET_TAKEN);
        return blob;
    }

    @Override
    public boolean claim() {
        return move(seen, OwnerState.CLAIMED);
    }

    @Override
    public boolean run() {
        if (copied && OwnerWord.state(taken) != OwnerState.CLAIMED && !installed()) {
            return false;
        }
        return move(OwnerWord.state(taken) == OwnerState.CLAIMED ? taken : seen, OwnerState.RUNNING);
    }

    /// Claims the VM and puts this host's frames into its entries.
    private boolean installed() {
        if (!claim()) {
            return false;
        }
        long claimed = taken;
        try (CheckBoard.Checker checker = host.board().register("copy to vm slot " + slot.index(),
                () -> slot.ownerAcquire() == claimed)) {
            pages.install(checker);
            return true;
        } catch (TomboloException e) {
            if (!pages.isSealed()) {
                throw e;
            }
            refused(e.getMessage());
            return false;
        }
    }

    private void looks() {
        if (hold.get() == Hold.ACTS) {
            hold.set(Hold.LOOKS);
        }
    }

    /// Control thread: from now on the thread acts on no offer, until [#lookAgain]. False if it acts on one: then the
    /// preparation is not given up now. The owner word is to be read after this.
    boolean callOff() {
        return hold.compareAndSet(Hold.LOOKS, Hold.CALLED_OFF);
    }

    void lookAgain() {
        hold.compareAndSet(Hold.CALLED_OFF, Hold.LOOKS);
    }

    private boolean move(long from, OwnerState to) {
        long word = OwnerWord.pack(to, host.self(), OwnerWord.epoch(from));
        boolean won = slot.compareAndSetOwner(from, word);
        looks();
        if (!won) {
            return false;
        }
        taken = word;
        if (to == OwnerState.RUNNING) {
            listener.owns(word, closings);
        }
        host.at(to == OwnerState.CLAIMED ? HandoffPoint.TARGET_CLAIMED : HandoffPoint.TARGET_OWNS);
        return true;
    }

    @Override
    public void beat() {
        slot.beatRelease(++beats);
    }

    @Override
    public void spinning() {
        listener.spinning();
    }

    @Override
    public void windowPassed() {
        listener.windowPassed();
    }

    @Override
    public void running(long seenNs, long runningNs, long firstInstructionNs) {
        host.at(HandoffPoint.TARGET_RUNNING);
        listener.running(taken, seenNs, runningNs, firstInstructionNs);
    }

    @Override
    public void refused(String reason) {
        long word = OwnerWord.state(taken) == OwnerState.CLAIMED ? taken : seen;
        long from = slot.fromAcquire();
        if (FromWord.epoch(from) == OwnerWord.epoch(word)) {
            long back = OwnerWord.pack(OwnerState.OFFERED, FromWord.slot(from),
                    OwnerWord.epoch(word) + 1);
            boolean given = slot.compareAndSetOwner(word, back);
            LOG.warn("vm slot {}: refused: {}; given back: {}", slot.index(), reason, given);
        } else {
            // Fencing withdrew the source's right: nobody may be given the VM. It stays offered to us, and says so.
            LOG.error("vm slot {}: refused: {}; the source was fenced, nobody to give it back to", slot.index(),
                    reason);
        }
        looks();
        listener.refused(reason);
    }
}
