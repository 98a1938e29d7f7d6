package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffError;
import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.takeover.TakeoverCore;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Recovery;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a live host does, by order of the leading coordinator, about one that is not: its slot word, and what it left
/// behind. Every order names slot and incarnation, and every change is a compare-and-set on the word that says so; a
/// host without the right to run VMs stores nothing.
final class HostFailures {
    private static final Logger LOG = LoggerFactory.getLogger(HostFailures.class);

    private final Region region;
    private final HostedVms vms;
    private final HostPorts host;
    private final TermGuard terms;

    HostFailures(Region region, HostedVms vms, HostPorts host, TermGuard terms) {
        this.region = requireNonNull(region, "region is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.host = requireNonNull(host, "host is null");
        this.terms = requireNonNull(terms, "terms is null");
    }

    CompletableFuture<Reply.Ack> fence(AgentRequest.FenceHost order) {
        terms.check(order.term());
        requireOther(order.hostSlot());
        return storing("fence", () -> {
            if (HostSlots.fence(region, order.hostSlot(), order.incarnation())) {
                int withdrawn = Recovery.withdrawTakeBack(region, order.hostSlot());
                LOG.warn("host slot {} incarnation {} is fenced; {} rights to take VMs back are withdrawn",
                        order.hostSlot(), order.incarnation(), withdrawn);
            }
        });
    }

    CompletableFuture<Reply.Ack> confirm(AgentRequest.ConfirmStopped order) {
        terms.check(order.term());
        requireOther(order.hostSlot());
        return storing("confirm", () -> {
            long word = region.host(order.hostSlot()).wordAcquire();
            boolean isIt = SlotWord.incarnation(word) == order.incarnation();
            if (isIt && !HostSlots.confirmStopped(region, order.hostSlot(), order.incarnation())
                    && SlotWord.incarnation(region.host(order.hostSlot()).wordAcquire()) == order.incarnation()) {
                throw TomboloException
                        .error(AgentError.HOST_NOT_FENCED, "only a host that was fenced is confirmed stopped")
                        .fact("hostSlot", order.hostSlot()).fact("found", SlotWord.describe(word))
                        .next("fence it first").build();
            }
            LOG.warn("host slot {} incarnation {} is confirmed stopped: {}", order.hostSlot(), order.incarnation(),
                    order.evidence());
        });
    }

    CompletableFuture<Reply.Ack> free(AgentRequest.FreeHost order) {
        terms.check(order.term());
        requireOther(order.hostSlot());
        return storing("free", () -> {
            if (SlotWord.incarnation(region.host(order.hostSlot()).wordAcquire()) == order.incarnation()
                    && HostSlots.confirmStopped(region, order.hostSlot(), order.incarnation())) {
                Recovery.recover(region, order.hostSlot(), order.incarnation(), host.self());
                HostSlots.free(region, order.hostSlot(), order.incarnation());
            }
        });
    }

    CompletableFuture<Reply.TakeoverStarted> takeOver(AgentRequest.TakeOver order) {
        terms.check(order.term());
        long owner = vms.owner(order.vmSlot());
        if (OwnerWord.is(owner, OwnerState.CREATING) || OwnerWord.is(owner, OwnerState.DESTROYING)) {
            // Half built or half destroyed: recovery of its host ends it.
            int dead = OwnerWord.slot(owner);
            requireOther(dead);
            return storing("recover", () -> Recovery.recover(region, dead,
                    SlotWord.incarnation(region.host(dead).wordAcquire()), host.self()))
                    .thenApply(_ -> new Reply.TakeoverStarted(order.vmSlot(),
                            OwnerWord.epoch(vms.owner(order.vmSlot()))));
        }
        return vms.takeOver(order.vmSlot(), order.spec(), order.ownerEpoch())
                .thenApply(epoch -> new Reply.TakeoverStarted(order.vmSlot(), epoch));
    }

    CompletableFuture<Reply.Ack> destroyLost(AgentRequest.DestroyVm order) {
        return storing("destroy", () -> vms.destroyLost(order.vmSlot(), order.vm()));
    }

    Reply.TakeoverState takeoverState(int vmSlot) {
        return vms.takeover(vmSlot).map(state -> new Reply.TakeoverState(vmSlot, phase(state), state.reason(),
                state.doubts().stream().map(doubt -> doubt.hostSlot() + "#" + doubt.incarnation()).toList(),
                state.begunNs(), state.confirmedNs(), state.recoveredNs(), state.runningNs(),
                state.pagesRolledBack())).orElseGet(() -> Reply.TakeoverState.none(vmSlot));
    }

    private static String phase(TakeoverCore.State state) {
        return switch (state.phase()) {
            case WAITING -> "WAITING";
            case RECOVERING, RESTORING, FINISHING -> "RECOVERING";
            case RUNNING -> "RUNNING";
            case PAUSED -> "PAUSED";
            case LOST -> "LOST";
            case GIVEN_UP -> "NONE";
        };
    }

    private void requireOther(int hostSlot) {
        if (hostSlot == host.self()) {
            throw TomboloException.error(AgentError.HOST_IS_THIS_ONE, "a host does not do this to itself")
                    .fact("hostSlot", hostSlot).next("ask another host").build();
        }
    }

    /// As one of the threads that store to the region.
    private CompletableFuture<Reply.Ack> storing(String what, Runnable task) {
        try (CheckBoard.Checker checker = host.board().register(what, () -> true)) {
            if (!host.rightHolds() || !checker.start()) {
                throw TomboloException.error(HandoffError.RIGHT_LAPSED, "this host may not store to the region now")
                        .fact("operation", what).next("ask another host").build();
            }
            task.run();
        }
        return CompletableFuture.completedFuture(new Reply.Ack());
    }
}
