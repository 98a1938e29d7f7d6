package io.tombolo.agent.hypervisor;

import io.tombolo.agent.pages.VmPages;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/// A guest on this host, running or stopped. All methods but [#facts] and [#call] are called on the VM's control
/// thread.
public interface Guest {
    /// Runs a stopped guest. The owner word names this host RUNNING before this is called.
    void run();

    /// Stops all vCPUs; returns when none executes. Idempotent.
    void stop();

    /// Stops the guest and offers it: whichever thread stops the last vCPU saves the state into the port's payload and
    /// calls [OfferPort#offer]. Returns how that went. After a failure the guest is stopped unless the result says that
    /// it runs.
    OfferResult offer(OfferPort port);

    /// As [#offer] for a guest whose pages are sent to its next host: stops it, has the rest sent, saves it and offers
    /// it, all on this thread.
    ///
    /// @param rest called with the guest stopped; false: it is not offered, stays stopped and may be run again
    default OfferResult offerAfter(BooleanSupplier rest, OfferPort port) {
        return OfferResult.failed(true, "the pages of this guest cannot be sent");
    }

    /// Protects a stopped guest: its state is committed, and from its next start on it is committed again and again.
    ///
    /// @param ownerEpoch   epoch of the owner word by which this host owns it
    /// @param checkpointUs how often, in microseconds
    /// @throws TomboloException VM_PROTECT_UNSUPPORTED, VM_HAS_LOCAL_PAGES, VM_PROTECT_LARGE_PAGES, REGION_FULL;
    ///         VM_TAKEN_OVER: another host has the VM
    default void protect(long ownerEpoch, int checkpointUs) {
        throw TomboloException.error(GuestError.VM_PROTECT_UNSUPPORTED, "this driver cannot protect a guest")
                .next("only guests of the simulated driver can be protected").build();
    }

    /// Commits a stopped guest once more, and ends its protection.
    ///
    /// @throws TomboloException VM_TAKEN_OVER
    default void unprotect(long ownerEpoch) {
    }

    /// Before a guest that was paused runs again: a takeover would not leave it paused from here on.
    ///
    /// @throws TomboloException VM_TAKEN_OVER
    default void unpause(long ownerEpoch) {
    }

    /// Prepares a guest whose offer came back, so that [#run] continues it.
    void reclaim();

    /// Writes the state of a stopped guest where a reader of the region can see it; the length, 0 if this driver
    /// cannot. A protected guest commits it instead.
    int saveStopped(OfferPort port);

    /// Kills the guest and returns when no thread or process of it can store any more. Idempotent, also while another
    /// call is under way.
    void kill();

    /// The pages of the guest, if they can move between tiers while it runs. Any thread.
    default Optional<VmPages> pages() {
        return Optional.empty();
    }

    /// What there is to show. Any thread.
    GuestFacts facts();

    /// Hands a client's request to the guest. Any thread. Completes with NOT_OWNER if the guest left before it
    /// executed.
    CompletableFuture<GuestReply> call(GuestCall call);

    /// The requests this guest executed here, for a reference run, oldest first.
    List<InputEntry> inputLog();
}
