package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.agent.right.RightActions;
import io.tombolo.agent.right.RightLoop;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/// An agent without threads, clocks, sockets and files of its own: the shipped parts behind the agent's RPC, for
/// whoever brings everything else. The simulator drives its hosts through it.
///
/// As thread safe as an agent is.
public final class DrivenHost {
    private final HostedVms vms;
    private final HostActions actions;
    private final AgentService service;

    /// @param ports the host as its hand-offs see it
    /// @param driver the only driver
    /// @param right the keeper of the host's right, asked for late: it is made with [#actions]
    /// @param exit told that the incarnation ends, and whether all its threads have stopped
    public DrivenHost(String name, Region region, ClaimedSlot slot, HostPorts ports, Hypervisor driver,
            HandoffBounds bounds, Supplier<RightLoop> right, BiConsumer<LapseReason, Boolean> exit) {
        requireNonNull(name, "name is null");
        requireNonNull(slot, "slot is null");
        this.vms = new HostedVms(region, ports, List.of(driver), _ -> bounds, () -> 0, _ -> {
        });
        this.actions = new HostActions(name, region, slot, () -> vms, right, exit);
        TermGuard terms = new TermGuard();
        this.service = new AgentService(vms, terms, new View(name, region, slot), new PageRequests(Optional.empty()),
                new HostFailures(region, vms, ports, terms));
    }

    /// What the keeper of this host's right calls.
    public RightActions actions() {
        return actions;
    }

    /// Answers a request, as the agent's RPC server does. Throws what the server sends back as an error.
    public CompletableFuture<? extends Reply> serve(AgentRequest request) {
        return service.serve(request);
    }

    /// The VMs of which this host has anything.
    public List<HostedVm> vms() {
        return new ArrayList<>(vms.all());
    }

    private record View(String name, Region region, ClaimedSlot slot) implements AgentService.HostView {
        @Override
        public long incarnation() {
            return slot.incarnation();
        }

        @Override
        public Reply.HostReply describe() {
            return new Reply.HostReply(new HostStatus(name, slot.slot(), slot.incarnation(),
                    String.valueOf(SlotWord.state(region.host(slot.slot()).wordAcquire())), "", 0, 0, 0, List.of()));
        }

        @Override
        public String hostName(int hostSlot) {
            return Integer.toString(hostSlot);
        }
    }
}
