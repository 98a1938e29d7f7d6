package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.AgentRequest;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// What the hand-off needs from the host around it: the right to run, the other agents, and somebody to tell. The agent
/// implements it with its right keeper and RPC clients; tests with direct calls.
public interface HostPorts {
    /// This host's slot.
    int self();

    /// Whether the host has the right to run VMs now: slot word LIVE with our incarnation, deadline not passed,
    /// supervisor reachable. A few loads, any thread.
    boolean rightHolds();

    /// Where threads that store to the region show their checks.
    CheckBoard board();

    /// [CheckBoard#closings] of the board.
    default int closings() {
        return board().closings();
    }

    /// A named moment is reached, on whichever thread reaches it. Does nothing unless a drill listens.
    void at(HandoffPoint point);

    /// Who is told of every stretch in which a vCPU executes.
    default RunObserver runs() {
        return RunObserver.NONE;
    }

    /// CLOCK_MONOTONIC, nanoseconds.
    long nowNs();

    /// Tells the target that the offer is about to come. The target's first thread then spins and says so in the VM's
    /// spin word, where the source sees it; the future completes when the target runs or its window has passed,
    /// exceptionally when the target cannot be asked. Asked again for an intent by which it already runs, the target
    /// tells the same end.
    CompletableFuture<WindowEnd> openWindow(Peer target, long intentSeq, int vmSlot, long epoch, long windowNs);

    /// The thread on which everything about one VM happens on this host.
    default Control control(String vm) {
        return ControlThread.start(vm);
    }

    /// Completes the future with `value` unless it is completed within `delayNs`.
    default <T> void completeAfter(CompletableFuture<T> future, T value, long delayNs) {
        var _ = future.completeOnTimeout(value, delayNs, TimeUnit.NANOSECONDS);
    }

    /// The calling thread stands still for about `ns`.
    default void pause(long ns) {
        LockSupport.parkNanos(this, ns);
    }

    /// How pages are copied between hosts; empty where none are.
    default Optional<PageLink> pageLink() {
        return Optional.empty();
    }

    /// What a copy of pages needs of a host. Thread safe.
    interface PageLink {
        /// All reading and storing of guest memory goes through it.
        GuestCopier copier();

        /// This host's own tier; null if it has none.
        LocalTier local();

        /// Sends pages, or the seal of a copy; completes when the target has answered that it has stored them,
        /// exceptionally with what kept it from that.
        CompletableFuture<?> send(Peer target, AgentRequest request);
    }

    /// Another agent.
    record Peer(int slot, String host, String address, int port) {
    }

    /// What the target says at the end of its window, CLOCK_MONOTONIC; zeros when it did not run.
    ///
    /// @param reason why the target does not spin; empty when it ran, or when its window passed without an offer
    record WindowEnd(boolean ran, long offerSeenNs, long runningNs, long firstInstructionNs, long bytesCopied,
            String reason) {
        /// Nothing known: the target did not answer.
        public static final WindowEnd UNKNOWN = refused("no answer");
        /// It spun, and no offer came.
        public static final WindowEnd PASSED = new WindowEnd(false, 0, 0, 0, 0, "");

        public WindowEnd {
            requireNonNull(reason, "reason is null");
        }

        public static WindowEnd refused(String reason) {
            return new WindowEnd(false, 0, 0, 0, 0, reason);
        }

        /// Whether it may be asked to spin again.
        boolean passed() {
            return !ran && reason.isEmpty();
        }
    }

    /// Bounds of one VM's hand-offs; from the base timing of the host.
    ///
    /// @param source bounds of the source's waits
    /// @param preparationNs lifetime of a preparation on the target
    /// @param windowNs how long the target's thread may spin at a time
    /// @param pollNs how often a waiting side looks at the owner word
    /// @param reportNs how long the source waits for the target's clock readings after it has seen it run
    record HandoffBounds(SourceCore.Bounds source, long preparationNs, long windowNs, long pollNs,
            long reportNs) {
    }
}
