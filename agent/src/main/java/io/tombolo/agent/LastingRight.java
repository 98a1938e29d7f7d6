package io.tombolo.agent;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.agent.right.RightActions;
import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.Timings;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.Region;
import io.tombolo.region.os.Linux;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The right of a host that has no cluster: it comes once, by a heartbeat that lasts for [#MINUTES], so that of all the
/// keeper may ask only the first renewal ever comes. For hosts on a scratch region, inside one process.
final class LastingRight implements RightActions {
    private static final long MINUTES = 10;
    private static final long GATE_NS = TimeUnit.SECONDS.toNanos(5);
    private static final int STORING_THREADS = 8;

    private volatile HostCore host;

    private LastingRight() {
    }

    /// A host that may run VMs when this returns.
    ///
    /// @throws IllegalStateException if its gate does not open within five seconds
    static HostCore host(Region region, ClaimedSlot slot, Consumer<HandoffPoint> points, HostCore.Windows windows) {
        return host(region, slot, points, windows, Optional.empty());
    }

    /// The same, and it can copy pages.
    static HostCore host(Region region, ClaimedSlot slot, Consumer<HandoffPoint> points, HostCore.Windows windows,
            Optional<HostPorts.PageLink> pageLink) {
        LastingRight right = new LastingRight();
        HostCore host = new HostCore(region, slot, Timings.standard(), false, STORING_THREADS, right, points, windows,
                pageLink, RunObserver.NONE);
        right.host = host;
        host.right().start();
        host.right().post(new RightEvent.HeartbeatConfirmed(Linux.clockBoottimeNs(),
                TimeUnit.MINUTES.toMillis(MINUTES)));
        long until = System.nanoTime() + GATE_NS;
        while (!host.board().gateOpen()) {
            if (System.nanoTime() - until > 0) {
                host.close();
                throw new IllegalStateException("the gate did not open");
            }
            Thread.onSpinWait();
        }
        return host;
    }

    @Override
    public void renewAll(long generation) {
        host.right().renewDone(generation);
    }

    @Override
    public void resumeAll(long generation) {
    }

    @Override
    public void warn(long remainingNs) {
    }

    @Override
    public void pauseAll(LapseReason reason, boolean terminal) {
    }

    @Override
    public boolean guestsGone() {
        return true;
    }

    @Override
    public void stopVm(int vmSlot) {
    }

    @Override
    public void sayStopped() {
    }

    @Override
    public void exit(LapseReason reason, boolean allStopped) {
    }
}
