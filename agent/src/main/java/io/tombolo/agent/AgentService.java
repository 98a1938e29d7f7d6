package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.CopySource;
import io.tombolo.agent.handoff.HandoffError;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.handoff.Standing;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.SourceReport;
import io.tombolo.agent.handoff.TargetCore;
import io.tombolo.agent.hypervisor.GuestFacts;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.takeover.TakeoverCore;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffPhase;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.PeerInfo;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Request;
import io.tombolo.coordinator.wire.RequestHandler;
import io.tombolo.coordinator.wire.PageWaits;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// Answers what an agent can be asked. Orders of the leading coordinator carry its term; one below the highest term
/// that this process has seen comes from a leader that has been replaced and is refused.
///
/// Called on a virtual thread per request; everything about one VM happens on that VM's control thread.
final class AgentService implements RequestHandler {
    /// Entries that fit one frame with room to spare.
    private static final int INPUT_ENTRIES_PER_REPLY = 4_000;

    private final HostedVms vms;
    private final TermGuard terms;
    private final HostView host;
    private final PageRequests pages;
    private final HostFailures failures;
    /// Highest cancelled intent by VM slot: its preparation may arrive after its cancellation.
    private final Map<Integer, Long> cancelled = new ConcurrentHashMap<>();
    /// The copied bytes' counter by VM slot, as it was when the latest preparation came.
    private final Map<Integer, Long> copiedAtPrepare = new ConcurrentHashMap<>();

    /// What the service tells of its host.
    interface HostView {
        String name();

        long incarnation();

        Reply.HostReply describe();

        String hostName(int slot);
    }

    AgentService(HostedVms vms, TermGuard terms, HostView host, PageRequests pages, HostFailures failures) {
        this.failures = requireNonNull(failures, "failures is null");
        this.pages = requireNonNull(pages, "pages is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.terms = requireNonNull(terms, "terms is null");
        this.host = requireNonNull(host, "host is null");
    }

    @Override
    public CompletableFuture<? extends Reply> handle(Request request, PeerInfo peer) {
        return switch (request) {
            case AgentRequest agentRequest -> serve(agentRequest);
            case CoordinatorRequest _ -> CompletableFuture.failedFuture(
                    TomboloException.error(AgentError.NOT_A_COORDINATOR, "an agent does not serve this request")
                            .fact("request", request.getClass().getSimpleName()).next("ask the leading coordinator")
                            .build());
        };
    }

    CompletableFuture<? extends Reply> serve(AgentRequest request) {
        return switch (request) {
            case AgentRequest.Ping ping ->
                CompletableFuture.completedFuture(new Reply.Pong(ping.nonce(), System.nanoTime()));
            case AgentRequest.DescribeHost _ -> CompletableFuture.completedFuture(host.describe());
            case AgentRequest.ListVms _ -> CompletableFuture
                    .completedFuture(new Reply.VmListReply(vms.hosted().stream().map(this::status).toList()));
            case AgentRequest.ShowVm show ->
                CompletableFuture.completedFuture(new Reply.VmReply(status(vms.byName(show.vm()))));
            case AgentRequest.CreateVm create -> {
                terms.check(create.term());
                HostedVm vm = vms.open(create.vmSlot(), create.spec());
                yield vm.create().thenApply(_ -> new Reply.VmReply(status(vm)));
            }
            case AgentRequest.DestroyVm destroy -> {
                terms.check(destroy.term());
                if (OwnerWord.is(vms.owner(destroy.vmSlot()), OwnerState.LOST)) {
                    yield failures.destroyLost(destroy);
                }
                yield vms.at(destroy.vmSlot(), destroy.vm()).destroy().thenApply(_ -> new Reply.Ack());
            }
            case AgentRequest.PauseVm pause -> {
                terms.check(pause.term());
                HostedVm vm = vms.at(pause.vmSlot(), pause.vm());
                yield vm.pause().thenApply(_ -> new Reply.VmReply(status(vm)));
            }
            case AgentRequest.ResumeVm resume -> {
                terms.check(resume.term());
                HostedVm vm = vms.at(resume.vmSlot(), resume.vm());
                yield vm.resume().thenApply(_ -> new Reply.VmReply(status(vm)));
            }
            case AgentRequest.PrepareTarget prepare -> prepare(prepare, false);
            case AgentRequest.PrepareCopy copy -> prepare(new AgentRequest.PrepareTarget(copy.term(), copy.intentSeq(),
                    copy.spec(), copy.vmSlot(), copy.epoch(), copy.fromSlot(), copy.fromHost(), copy.nonce()), true);
            case AgentRequest.SwitchCopy order -> switchCopy(order);
            case AgentRequest.CopyPages pages -> {
                incoming(pages.vmSlot()).storePages(pages);
                yield CompletableFuture.completedFuture(new Reply.Ack());
            }
            case AgentRequest.SealCopy seal -> {
                incoming(seal.vmSlot()).sealPages(seal);
                yield CompletableFuture.completedFuture(new Reply.Ack());
            }
            case AgentRequest.AskCopy asked -> CompletableFuture.completedFuture(vms.find(asked.vmSlot())
                    .map(vm -> vm.copyProgress(asked.intentSeq())).orElse(new Reply.CopyProgress(0, 0, 0, 0)));
            case AgentRequest.CancelIntent cancel -> cancel(cancel);
            case AgentRequest.SwitchOver order -> switchOver(order);
            case AgentRequest.HandoffStatus asked -> handoffStatus(asked);
            case AgentRequest.OpenWindow open -> openWindow(open);
            case AgentRequest.FinishSource finish -> finish(finish);
            case AgentRequest.MovePages move -> pages.move(move);
            case AgentRequest.PinPages pin -> pages.pin(pin);
            case AgentRequest.ListPins list -> pages.pins(list.vm());
            case AgentRequest.ListTiers _ -> pages.tiers();
            case AgentRequest.GuestCall call -> vms.byName(call.vm()).call(call);
            case AgentRequest.FenceHost fence -> failures.fence(fence);
            case AgentRequest.ConfirmStopped confirm -> failures.confirm(confirm);
            case AgentRequest.FreeHost free -> failures.free(free);
            case AgentRequest.TakeOver takeOver -> failures.takeOver(takeOver);
            case AgentRequest.AskTakeover(int vmSlot) ->
                CompletableFuture.completedFuture(failures.takeoverState(vmSlot));
            case AgentRequest.ProtectVm protect -> {
                terms.check(protect.term());
                HostedVm vm = vms.at(protect.vmSlot(), protect.vm());
                yield vm.protect(protect.checkpointUs()).thenApply(_ -> new Reply.VmReply(status(vm)));
            }
            case AgentRequest.RestartVm restart -> {
                terms.check(restart.term());
                HostedVm vm = vms.open(restart.vmSlot(), restart.spec());
                yield vm.restart().thenApply(_ -> new Reply.VmReply(status(vm)));
            }
            case AgentRequest.FetchInputLog fetch -> CompletableFuture.completedFuture(inputLog(fetch));
        };
    }

    private HostedVm incoming(int vmSlot) {
        return vms.find(vmSlot).orElseThrow(() -> TomboloException
                .error(HandoffError.TARGET_REFUSED, "this host is not prepared for pages of the VM")
                .fact("vmSlot", vmSlot).next("see both agents' logs").build());
    }

    private CompletableFuture<Reply.Prepared> prepare(AgentRequest.PrepareTarget prepare, boolean copied) {
        terms.check(prepare.term());
        boolean isCancelled = prepare.intentSeq() <= cancelled.getOrDefault(prepare.vmSlot(), 0L);
        if (isCancelled && !offeredHere(prepare)) {
            return CompletableFuture.failedFuture(
                    TomboloException.error(HandoffError.INTENT_CANCELLED, "the intent was cancelled before it came")
                            .fact("intent", prepare.intentSeq()).next("nothing to do").build());
        }
        copiedAtPrepare.put(prepare.vmSlot(), vms.bytesCopied());
        HostedVm vm = vms.open(prepare.vmSlot(), prepare.spec());
        return vm.prepare(prepare.intentSeq(), prepare.epoch(), prepare.fromSlot(), prepare.nonce(), copied)
                .thenApply(_ -> new Reply.Prepared(prepare.intentSeq(), prepare.vmSlot(), vms.hostSlot(),
                        host.incarnation()));
    }

    /// The source stood still with the order in hand, and offered after the leader had given it up: then this host is
    /// the one to go on, cancelled or not.
    private boolean offeredHere(AgentRequest.PrepareTarget prepare) {
        long owner = vms.owner(prepare.vmSlot());
        return OwnerWord.is(owner, OwnerState.OFFERED) && OwnerWord.slot(owner) == vms.hostSlot()
                && OwnerWord.epoch(owner) > prepare.epoch();
    }

    private CompletableFuture<Reply.Cancelled> cancel(AgentRequest.CancelIntent cancel) {
        terms.check(cancel.term());
        cancelled.merge(cancel.vmSlot(), cancel.intentSeq(), Math::max);
        CompletableFuture<Boolean> armed = vms.find(cancel.vmSlot()).map(vm -> vm.cancel(cancel.intentSeq()))
                .orElseGet(() -> CompletableFuture.completedFuture(false));
        return armed.thenApply(still -> {
            long owner = vms.owner(cancel.vmSlot());
            return new Reply.Cancelled(cancel.intentSeq(), still, OwnerWord.slot(owner) == vms.hostSlot()
                    && OwnerWord.state(owner) != OwnerState.FREE, OwnerWord.epoch(owner));
        });
    }

    private CompletableFuture<Reply.Switched> switchOver(AgentRequest.SwitchOver order) {
        terms.check(order.term());
        HostedVm vm = vms.at(order.vmSlot(), order.vm());
        long copiedBefore = vms.bytesCopied();
        Peer target = new Peer(order.toSlot(), order.toName(), order.toHost(), order.toPort());
        return vm.switchOver(order.intentSeq(), order.epoch(), target, order.nonce())
                .thenApply(report -> new Reply.Switched(report(order, report, vms.bytesCopied() - copiedBefore)));
    }

    private CompletableFuture<Reply.CopySwitched> switchCopy(AgentRequest.SwitchCopy copy) {
        terms.check(copy.term());
        AgentRequest.SwitchOver order = new AgentRequest.SwitchOver(copy.term(), copy.intentSeq(), copy.vm(),
                copy.vmSlot(), copy.epoch(), copy.toSlot(), copy.toName(), copy.toHost(), copy.toPort(), copy.nonce());
        HostedVm vm = vms.at(copy.vmSlot(), copy.vm());
        long copiedBefore = vms.bytesCopied();
        Peer target = new Peer(copy.toSlot(), copy.toName(), copy.toHost(), copy.toPort());
        CopySource.CopyLimits limits = new CopySource.CopyLimits(TimeUnit.MILLISECONDS.toNanos(copy.downtimeMs()),
                TimeUnit.MILLISECONDS.toNanos(copy.timeMs()));
        return vm.switchOver(copy.intentSeq(), copy.epoch(), target, copy.nonce(), Optional.of(limits))
                .thenApply(report -> new Reply.CopySwitched(
                        report(order, report, vms.bytesCopied() - copiedBefore), report.copy()));
    }

    private HandoffReport report(AgentRequest.SwitchOver order, SourceReport source, long copiedHere) {
        HandoffOutcome outcome = switch (source.outcome()) {
            case HANDED_OVER -> HandoffOutcome.COMPLETED;
            case TAKEN_BACK -> HandoffOutcome.TAKEN_BACK;
            case LOST -> HandoffOutcome.LOST_RIGHT;
            case STAYED, REFUSED -> throw TomboloException
                    .error(source.code().isEmpty()
                            ? HandoffError.HANDOFF_STAYED
                            : CoordinatorError.valueOf(source.code()),
                            "the VM was not handed over and runs where it was")
                    .fact("vm", order.vm()).fact("from", host.name()).fact("to", order.toName())
                    .fact("reason", source.reason()).next("try again; if it stays so see both agents' logs").build();
        };
        WindowEnd target = source.target();
        long last = source.offer().lastInstructionNs();
        boolean ran = target.ran();
        return new HandoffReport(order.vm(), host.name(), order.toName(), order.intentSeq(), 0,
                last - source.windowNs(), source.offer().savedNs() - last,
                ran ? target.runningNs() - source.offer().savedNs() : 0,
                ran ? target.firstInstructionNs() - target.runningNs() : 0, 0, last,
                ran ? target.firstInstructionNs() : 0, ran ? target.firstInstructionNs() - last : 0,
                source.offer().stateBytes(), copiedHere + target.bytesCopied(), order.epoch(), source.epochAfter(),
                outcome);
    }

    private CompletableFuture<Reply.WindowClosed> openWindow(AgentRequest.OpenWindow open) {
        HostedVm vm = vms.find(open.vmSlot()).orElse(null);
        CompletableFuture<WindowEnd> end = vm == null
                ? CompletableFuture.completedFuture(WindowEnd.refused("not prepared"))
                : vm.openWindow(open.intentSeq(), open.epoch());
        return end.thenApply(e -> new Reply.WindowClosed(open.intentSeq(), e.ran(), e.offerSeenNs(), e.runningNs(),
                e.firstInstructionNs(), vms.bytesCopied() - copiedAtPrepare.getOrDefault(open.vmSlot(), 0L),
                OwnerWord.epoch(vms.owner(open.vmSlot())), e.reason()));
    }

    private CompletableFuture<Reply.HandoffState> handoffStatus(AgentRequest.HandoffStatus asked) {
        CompletableFuture<Standing> standing = vms.find(asked.vmSlot()).map(HostedVm::standing)
                .orElseGet(
                        () -> CompletableFuture.completedFuture(new Standing(null, null, vms.owner(asked.vmSlot()))));
        return standing.thenApply(s -> {
            HandoffPhase phase = HandoffPhase.NONE;
            boolean armed = false;
            if (s.source() != null) {
                phase = sourcePhase(s.source(), asked.intentSeq());
                armed = s.source().intentSeq() == asked.intentSeq() && phase == HandoffPhase.ARMED;
            } else if (s.target() != null && s.target().intentSeq() == asked.intentSeq()) {
                armed = s.target().phase() == TargetCore.Phase.ARMED;
                phase = armed ? HandoffPhase.PREPARED : HandoffPhase.NONE;
            }
            return new Reply.HandoffState(asked.intentSeq(), phase, armed, OwnerWord.epoch(s.owner()));
        });
    }

    private static HandoffPhase sourcePhase(SourceCore.State state, long intentSeq) {
        if (state.intentSeq() != intentSeq) {
            return HandoffPhase.RUNNING;
        }
        return switch (state.phase()) {
            case IDLE -> HandoffPhase.RUNNING;
            case WINDOW, COPYING -> HandoffPhase.ARMED;
            case QUIESCING -> HandoffPhase.QUIESCED;
            case OFFERED -> HandoffPhase.OFFERED;
            case GONE -> HandoffPhase.GIVEN;
        };
    }

    /// The source reaps its guest as soon as it sees the target run; this only confirms that it has.
    private CompletableFuture<Reply.Ack> finish(AgentRequest.FinishSource finish) {
        terms.check(finish.term());
        HostedVm vm = vms.find(finish.vmSlot()).orElse(null);
        if (vm == null || !vm.hosted()) {
            return CompletableFuture.completedFuture(new Reply.Ack());
        }
        long owner = vm.owner();
        if (OwnerWord.slot(owner) == vms.hostSlot()) {
            return CompletableFuture.failedFuture(
                    TomboloException.error(HandoffError.HANDOFF_STAYED, "the VM still belongs to this host")
                            .fact("vm", finish.vm()).fact("owner", OwnerWord.describe(owner))
                            .next("nothing to finish; close the intent by the owner word").build());
        }
        return vm.standing().thenCompose(standing -> {
            // An answer that was lost is asked for again, and may come when the VM is being handed over once more.
            boolean another = standing.source() != null && standing.source().intentSeq() != 0
                    && standing.source().intentSeq() != finish.intentSeq();
            return another ? CompletableFuture.<Void>completedFuture(null) : vm.abandon();
        }).thenApply(_ -> new Reply.Ack());
    }

    private Reply.InputLog inputLog(AgentRequest.FetchInputLog fetch) {
        List<InputEntry> all = vms.inputLog(fetch.vm());
        int from = (int) Math.min(fetch.from(), all.size());
        int to = Math.min(all.size(), from + INPUT_ENTRIES_PER_REPLY);
        return new Reply.InputLog(from, all.subList(from, to), all.size());
    }

    private static PageWaits waits(VmPages pages) {
        return new PageWaits(pages.waits().count(), pages.waits().quantileNs(0.99), pages.waits().maxNs());
    }

    private VmStatus status(HostedVm vm) {
        long owner = vm.owner();
        GuestFacts facts = vm.facts();
        long rolledBack = vms.takeover(vm.slotIndex()).map(TakeoverCore.State::pagesRolledBack).orElse(0L);
        String reason = vm.reason().isEmpty() ? facts.note() : vm.reason();
        return new VmStatus(vm.spec(), vm.slotIndex(), String.valueOf(OwnerWord.state(owner)),
                host.hostName(OwnerWord.slot(owner)), OwnerWord.epoch(owner), facts.instructions(), reason)
                .withLocalPages(vms.localPages(vm.slotIndex()))
                .withWaits(vm.pages().map(AgentService::waits).orElse(PageWaits.NONE))
                .withProtection(facts.protection().status(rolledBack));
    }
}
