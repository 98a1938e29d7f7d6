package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.agent.right.RightActions;
import io.tombolo.agent.right.RightLoop;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.HostSlots;
import io.tombolo.region.Region;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a host does with its VMs when its right comes and goes.
final class HostActions implements RightActions {
    private static final Logger LOG = LoggerFactory.getLogger(HostActions.class);

    private final String name;
    private final Region region;
    private final ClaimedSlot slot;
    private final Supplier<HostedVms> vms;
    private final Supplier<RightLoop> right;
    private final BiConsumer<LapseReason, Boolean> exit;

    /// @param vms asked late, as `right` is: the keeper is made before them
    /// @param exit as [RightActions#exit]
    HostActions(String name, Region region, ClaimedSlot slot, Supplier<HostedVms> vms, Supplier<RightLoop> right,
            BiConsumer<LapseReason, Boolean> exit) {
        this.name = requireNonNull(name, "name is null");
        this.region = requireNonNull(region, "region is null");
        this.slot = requireNonNull(slot, "slot is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.right = requireNonNull(right, "right is null");
        this.exit = requireNonNull(exit, "exit is null");
    }

    @Override
    public void warn(long remainingNs) {
        LOG.warn("host {}: ZooKeeper has not answered; VMs pause in {} ms", name,
                TimeUnit.NANOSECONDS.toMillis(remainingNs));
    }

    @Override
    public void pauseAll(LapseReason reason, boolean terminal) {
        LOG.warn("host {}: right lapsed: {}{}", name, reason, terminal ? ", for good" : "");
        vms.get().all().forEach(
                vm -> logFailure(terminal ? vm.abandon() : vm.rightLapsed("right lapsed: " + reason), vm, "stop"));
    }

    @Override
    public boolean guestsGone() {
        // Those that only wait for a VM store too.
        return vms.get().all().isEmpty();
    }

    @Override
    public void renewAll(long generation) {
        CompletableFuture<?>[] all = vms.get().all().stream().map(HostedVm::renew).toArray(CompletableFuture[]::new);
        var _ = CompletableFuture.allOf(all).whenComplete((_, error) -> {
            if (error != null) {
                LOG.error("a VM could not be renewed", error);
            }
            right.get().renewDone(generation);
        });
    }

    @Override
    public void resumeAll(long generation) {
        vms.get().all().forEach(vm -> logFailure(vm.runRenewed(), vm, "run"));
    }

    @Override
    public void stopVm(int vmSlot) {
        vms.get().find(vmSlot).ifPresent(vm -> logFailure(vm.abandon(), vm, "abandon"));
    }

    @Override
    public void sayStopped() {
        HostSlots.markStopped(region, slot.slot(), slot.incarnation());
    }

    @Override
    public void exit(LapseReason reason, boolean allStopped) {
        exit.accept(reason, allStopped);
    }

    private static void logFailure(CompletableFuture<Void> done, HostedVm vm, String what) {
        var _ = done.whenComplete((_, error) -> {
            if (error != null) {
                LOG.error("vm {}: {} failed", vm.spec().name(), what, error);
            }
        });
    }
}
