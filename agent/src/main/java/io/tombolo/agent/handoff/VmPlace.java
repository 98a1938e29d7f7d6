package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestFacts;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.VmSlot;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// What a host has of one VM, for whoever looks: every method may be called by any thread. What is here is changed on
/// the control thread of [HostedVm] only.
abstract sealed class VmPlace permits HostedVm {
    final VmSlot slot;
    final VmSpec spec;
    final VmWords words;
    volatile Guest guest;
    volatile String reason = "";
    volatile HandoffSource source;
    volatile HandoffTarget target;

    VmPlace(VmSlot slot, VmSpec spec, HostPorts host) {
        this.slot = requireNonNull(slot, "slot is null");
        this.spec = requireNonNull(spec, "spec is null");
        this.words = new VmWords(slot, spec, requireNonNull(host, "host is null"));
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

    /// Any thread: the pages of the guest, if there is one here and its pages can move.
    public Optional<VmPages> pages() {
        Guest present = guest;
        return present == null ? Optional.empty() : present.pages();
    }

    /// Any thread: whether this host may move pages of that guest now, running or paused.
    public boolean ownsPages(VmPages pages) {
        long word = slot.ownerAcquire();
        return OwnerWord.slot(word) == words.self() && !pages.isClosed()
                && (OwnerWord.is(word, OwnerState.RUNNING) || OwnerWord.is(word, OwnerState.PAUSED));
    }

    /// Any thread: how far the copy of that intent is.
    public Reply.CopyProgress copyProgress(long intentSeq) {
        return copy(intentSeq).map(CopySource::progress).orElse(new Reply.CopyProgress(0, 0, 0, 0));
    }

    Optional<CopySource> copy(long intentSeq) {
        HandoffSource present = source;
        return present == null ? Optional.empty() : present.copy(intentSeq);
    }

    /// Any thread: pages that the source of this VM sends.
    public void storePages(AgentRequest.CopyPages pages) {
        Optional.ofNullable(target).orElseThrow(words::notHere).pages().store(pages);
    }

    /// Any thread: the source has sent everything.
    public void sealPages(AgentRequest.SealCopy seal) {
        Optional.ofNullable(target).orElseThrow(words::notHere).seal(seal);
    }

    /// Any thread: a client's request.
    public CompletableFuture<GuestReply> call(GuestCall call) {
        Guest present = guest;
        return present == null ? CompletableFuture.failedFuture(words.notHere()) : present.call(call);
    }

    /// Any thread: the client requests that the guest executed during this stay, oldest first.
    public List<InputEntry> inputLog() {
        Guest present = guest;
        return present == null ? List.of() : present.inputLog();
    }
}
