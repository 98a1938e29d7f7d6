package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.PeerInfo;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Request;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcServer;
import io.tombolo.coordinator.wire.RpcTransport;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Recovery;
import io.tombolo.region.Region;
import io.tombolo.region.Takeover;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/// An agent without a hypervisor: a host slot, a record in ZooKeeper, an RPC server, and owner words changed by real
/// compare-and-set in a real region. A test sets how it behaves in a hand-off.
final class ScriptedAgent implements AutoCloseable {
    enum OnPrepare {
        ARM, REFUSE, HANG
    }

    enum OnSwitch {
        HAND_OVER, REFUSE, HANG, HAND_OVER_AND_HANG, OFFER_AND_HANG, TAKE_BACK
    }

    volatile OnPrepare onPrepare = OnPrepare.ARM;
    volatile OnSwitch onSwitch = OnSwitch.HAND_OVER;
    volatile boolean cancelAnswers = true;
    /// Tiers of the one VM's pages; the same array at every host of a test, as the same memory would be.
    volatile int[] vmPages = new int[0];
    volatile int pagesPerCall = Integer.MAX_VALUE;
    volatile long localBytes = 1 << 20;
    volatile int refusal = PageStatus.EBUSY;
    final Set<Integer> refusedPages = ConcurrentHashMap.newKeySet();
    final List<Reply.PinnedRange> pins = new java.util.concurrent.CopyOnWriteArrayList<>();
    /// Moves are answered when it is complete.
    volatile CompletableFuture<Void> moveGate = CompletableFuture.completedFuture(null);
    /// Orders that arrived, by the name of their record.
    final List<String> orders = new java.util.concurrent.CopyOnWriteArrayList<>();

    private final String name;
    private final Region region;
    private final ClaimedSlot slot;
    private final RpcTransport transport;
    private final RpcServer server;
    private final Map<String, VmSpec> vms = new ConcurrentHashMap<>();
    private final Set<Long> cancelled = ConcurrentHashMap.newKeySet();
    private final HostRecord record;
    private final Map<Integer, Taken> taken = new ConcurrentHashMap<>();
    private final Map<String, Integer> slotOf = new ConcurrentHashMap<>();
    /// What the confirmations that it was ordered rest on.
    final List<String> evidence = new java.util.concurrent.CopyOnWriteArrayList<>();
    volatile boolean refusesTakeovers;
    private ZkConnection zk;

    ScriptedAgent(String name, Region region, UUID cluster, List<String> drivers) {
        this.name = name;
        this.region = region;
        UUID uuid = UUID.nameUUIDFromBytes(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        slot = HostSlots.claim(region,
                new HostIdentity(uuid, name, new UUID(7, 7), ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
        transport = RpcTransport.start("agent-" + name, 1);
        server = RpcServer.start(transport, new RpcAddress("127.0.0.1", 0),
                () -> Protocol.hello(cluster, Role.AGENT, name, slot.incarnation(), 0), this::handle);
        record = new HostRecord(name, uuid, slot.slot(), slot.incarnation(), new UUID(7, 7),
                ProcessHandle.current().pid(), "127.0.0.1", server.port(), drivers);
    }

    long incarnation() {
        return slot.incarnation();
    }

    int slot() {
        return slot.slot();
    }

    void join(ZkConnection session) {
        zk = session;
        new Membership(zk, System::nanoTime).join(record, 10_000);
    }

    /// As if the process were killed: no record, no answers; its slot and its VMs stay as they are.
    void die() {
        zk.close();
        server.close();
    }

    private CompletableFuture<? extends Reply> handle(Request request, PeerInfo peer) {
        orders.add(request.getClass().getSimpleName());
        return switch (request) {
            case AgentRequest.CreateVm create -> {
                vms.put(create.spec().name(), create.spec());
                slotOf.put(create.spec().name(), create.vmSlot());
                VmSlot vm = region.vm(create.vmSlot());
                long free = vm.ownerAcquire();
                cas(vm, free, OwnerState.CREATING, slot.slot(), OwnerWord.epoch(free) + 1);
                cas(vm, vm.ownerAcquire(), OwnerState.RUNNING, slot.slot(), OwnerWord.epoch(free) + 1);
                yield done(new Reply.VmReply(status(create.spec(), create.vmSlot())));
            }
            case AgentRequest.DestroyVm destroy -> {
                VmSlot vm = region.vm(destroy.vmSlot());
                cas(vm, vm.ownerAcquire(), OwnerState.DESTROYING, slot.slot(), OwnerWord.epoch(vm.ownerAcquire()) + 1);
                cas(vm, vm.ownerAcquire(), OwnerState.FREE, 0, OwnerWord.epoch(vm.ownerAcquire()));
                yield done(new Reply.Ack());
            }
            case AgentRequest.PauseVm pause -> change(pause.vm(), pause.vmSlot(), OwnerState.PAUSED);
            case AgentRequest.ResumeVm resume -> change(resume.vm(), resume.vmSlot(), OwnerState.RUNNING);
            case AgentRequest.ShowVm show -> done(new Reply.VmReply(status(vms.get(show.vm()), 0)));
            case AgentRequest.PrepareTarget prepare -> prepare(prepare);
            case AgentRequest.SwitchOver order -> switchOver(order);
            case AgentRequest.CancelIntent cancel -> {
                cancelled.add(cancel.intentSeq());
                long word = region.vm(cancel.vmSlot()).ownerAcquire();
                yield cancelAnswers
                        ? done(new Reply.Cancelled(cancel.intentSeq(), false, OwnerWord.slot(word) == slot.slot(),
                                OwnerWord.epoch(word)))
                        : new CompletableFuture<>();
            }
            case AgentRequest.FinishSource finish -> {
                vms.remove(finish.vm());
                yield done(new Reply.Ack());
            }
            case AgentRequest.ListPins _ -> done(new Reply.PinList(List.copyOf(pins)));
            case AgentRequest.ListTiers _ -> done(new Reply.TierList(List.of(
                    new TierStatus("local", "LOCAL", "here", localBytes, localBytes, List.of()),
                    new TierStatus("shared", "SHARED", "there", 1 << 20, 1 << 20, List.of()))));
            case AgentRequest.MovePages move -> move(move);
            case AgentRequest.DescribeHost _ -> done(new Reply.HostReply(new HostStatus(name, slot.slot(),
                    slot.incarnation(), "LIVE", "127.0.0.1", server.port(), 1, 2, List.copyOf(vms.keySet()))));
            case AgentRequest.ListVms _ -> done(new Reply.VmListReply(vms.values().stream()
                    .map(vm -> status(vm, slotOf.getOrDefault(vm.name(), 0))).toList()));
            case AgentRequest.FenceHost fence -> {
                HostSlots.fence(region, fence.hostSlot(), fence.incarnation());
                Recovery.withdrawTakeBack(region, fence.hostSlot());
                yield done(new Reply.Ack());
            }
            case AgentRequest.ConfirmStopped confirm -> {
                evidence.add(confirm.evidence());
                HostSlots.confirmStopped(region, confirm.hostSlot(), confirm.incarnation());
                yield done(new Reply.Ack());
            }
            case AgentRequest.FreeHost free -> {
                HostSlots.confirmStopped(region, free.hostSlot(), free.incarnation());
                HostSlots.free(region, free.hostSlot(), free.incarnation());
                yield done(new Reply.Ack());
            }
            case AgentRequest.TakeOver order -> takeOver(order);
            case AgentRequest.AskTakeover asked -> done(takeoverState(asked.vmSlot()));
            case AgentRequest.ProtectVm protect -> {
                vms.computeIfPresent(protect.vm(), (_, spec) -> spec.withProtection(protect.checkpointUs()));
                yield done(new Reply.VmReply(status(vms.get(protect.vm()), protect.vmSlot())));
            }
            case AgentRequest.RestartVm restart -> {
                VmSlot vm = region.vm(restart.vmSlot());
                long lost = vm.ownerAcquire();
                cas(vm, lost, OwnerState.DESTROYING, slot.slot(), OwnerWord.epoch(lost) + 1);
                cas(vm, vm.ownerAcquire(), OwnerState.FREE, 0, OwnerWord.epoch(lost) + 1);
                cas(vm, vm.ownerAcquire(), OwnerState.CREATING, slot.slot(), OwnerWord.epoch(lost) + 2);
                cas(vm, vm.ownerAcquire(), OwnerState.RUNNING, slot.slot(), OwnerWord.epoch(lost) + 2);
                vms.put(restart.spec().name(), restart.spec());
                yield done(new Reply.VmReply(status(restart.spec(), restart.vmSlot())));
            }
            case AgentRequest _,CoordinatorRequest _ -> CompletableFuture.failedFuture(new IllegalStateException());
        };
    }

    private CompletableFuture<Reply> takeOver(AgentRequest.TakeOver order) {
        VmSlot vm = region.vm(order.vmSlot());
        long owner = vm.ownerAcquire();
        long mine = OwnerWord.epoch(owner) == order.ownerEpoch() && !refusesTakeovers
                ? Takeover.begin(region, vm, slot.slot(), owner)
                : 0;
        if (mine == 0) {
            return CompletableFuture
                    .failedFuture(TomboloException.error(CoordinatorError.HOST_FULL, "it does not want").build());
        }
        vms.put(order.spec().name(), order.spec());
        slotOf.put(order.spec().name(), order.vmSlot());
        taken.put(order.vmSlot(), new Taken(mine, order.spec().checkpointUs() > 0
                || OwnerWord.is(mine, OwnerState.RESTORING), OwnerWord.is(owner, OwnerState.PAUSED)));
        return done(new Reply.TakeoverStarted(order.vmSlot(), OwnerWord.epoch(mine)));
    }

    private record Taken(long word, boolean goesOn, boolean paused) {
    }

    private Reply.TakeoverState takeoverState(int vmSlot) {
        Taken mine = taken.get(vmSlot);
        if (mine == null) {
            return Reply.TakeoverState.none(vmSlot);
        }
        VmSlot vm = region.vm(vmSlot);
        List<String> doubts = vm.ownerAcquire() == mine.word()
                ? Takeover.inDoubt(region, vm, mine.word()).stream()
                        .map(doubt -> doubt.hostSlot() + "#" + doubt.incarnation()).toList()
                : List.of();
        if (!doubts.isEmpty()) {
            return new Reply.TakeoverState(vmSlot, "WAITING", "", doubts, 1, 0, 0, 0, 0);
        }
        OwnerState to = !mine.goesOn()
                ? OwnerState.LOST
                : mine.paused() ? OwnerState.PAUSED : OwnerState.RUNNING;
        if (vm.ownerAcquire() == mine.word()) {
            Takeover.finish(region, vm, mine.word(), to);
        }
        return new Reply.TakeoverState(vmSlot, to.name(), mine.goesOn() ? "" : "VM_LOST_NOT_PROTECTED", List.of(), 1, 2,
                3, 4, 5);
    }

    private static CompletableFuture<Reply> done(Reply reply) {
        return CompletableFuture.completedFuture(reply);
    }

    private VmStatus status(VmSpec spec, int vmSlot) {
        long word = region.vm(vmSlot).ownerAcquire();
        return new VmStatus(spec, vmSlot, String.valueOf(OwnerWord.state(word)), name, OwnerWord.epoch(word),
                List.of(123L), "");
    }

    private CompletableFuture<Reply> move(AgentRequest.MovePages move) {
        int done = (int) Math.min(Math.min(pagesPerCall, move.count()), vmPages.length - move.firstPage());
        byte[] status = new byte[done];
        int notMoved = 0;
        synchronized (ScriptedAgent.class) {
            for (int i = 0; i < done; i++) {
                int page = (int) move.firstPage() + i;
                if (move.tier() >= 0 && !refusedPages.contains(page)) {
                    vmPages[page] = move.tier();
                }
                boolean refused = move.tier() >= 0 && vmPages[page] != move.tier();
                status[i] = (byte) (refused ? refusal : vmPages[page]);
                notMoved += refused ? 1 : 0;
            }
        }
        Reply.PagesMoved reply = new Reply.PagesMoved(vmPages.length, 4096, done, notMoved, Bytes.copyOf(status),
                Bytes.copyOf(new byte[done]));
        CompletableFuture<Void> gate = move.tier() >= 0 ? moveGate : CompletableFuture.completedFuture(null);
        return gate.thenApply(_ -> reply);
    }

    private CompletableFuture<Reply> change(String vm, int vmSlot, OwnerState next) {
        VmSlot word = region.vm(vmSlot);
        cas(word, word.ownerAcquire(), next, slot.slot(), OwnerWord.epoch(word.ownerAcquire()) + 1);
        return done(new Reply.VmReply(status(vms.get(vm), vmSlot)));
    }

    private CompletableFuture<Reply> prepare(AgentRequest.PrepareTarget prepare) {
        return switch (onPrepare) {
            case ARM -> {
                vms.put(prepare.spec().name(), prepare.spec());
                yield done(new Reply.Prepared(prepare.intentSeq(), prepare.vmSlot(), slot.slot(), slot.incarnation()));
            }
            case REFUSE -> CompletableFuture
                    .failedFuture(TomboloException.error(CoordinatorError.HOST_FULL, "the target refuses").build());
            case HANG -> new CompletableFuture<>();
        };
    }

    private CompletableFuture<Reply> switchOver(AgentRequest.SwitchOver order) {
        VmSlot vm = region.vm(order.vmSlot());
        if (cancelled.contains(order.intentSeq())) {
            return CompletableFuture
                    .failedFuture(TomboloException.error(CoordinatorError.HOST_FULL, "cancelled before").build());
        }
        switch (onSwitch) {
            case HAND_OVER, HAND_OVER_AND_HANG -> {
                offer(vm, order);
                run(vm, order);
            }
            case OFFER_AND_HANG -> offer(vm, order);
            case TAKE_BACK -> {
                offer(vm, order);
                cas(vm, vm.ownerAcquire(), OwnerState.RUNNING, slot.slot(), order.epoch() + 2);
            }
            case REFUSE, HANG -> {
            }
        }
        return switch (onSwitch) {
            case HAND_OVER -> done(new Reply.Switched(report(order, HandoffOutcome.COMPLETED)));
            case TAKE_BACK -> done(new Reply.Switched(report(order, HandoffOutcome.TAKEN_BACK)));
            case REFUSE -> CompletableFuture
                    .failedFuture(TomboloException.error(CoordinatorError.HOST_FULL, "the source refuses").build());
            case HANG, HAND_OVER_AND_HANG, OFFER_AND_HANG -> new CompletableFuture<>();
        };
    }

    private HandoffReport report(AgentRequest.SwitchOver order, HandoffOutcome outcome) {
        return new HandoffReport(order.vm(), name, order.toName(), order.intentSeq(), 0, 1, 2, 3, 4, 0, 100, 110, 10,
                256, 0, order.epoch(), order.epoch() + 1, outcome);
    }

    private static void offer(VmSlot vm, AgentRequest.SwitchOver order) {
        cas(vm, vm.ownerAcquire(), OwnerState.OFFERED, order.toSlot(), order.epoch() + 1);
    }

    private static void run(VmSlot vm, AgentRequest.SwitchOver order) {
        cas(vm, vm.ownerAcquire(), OwnerState.RUNNING, order.toSlot(), order.epoch() + 1);
    }

    static void cas(VmSlot vm, long expect, OwnerState state, int slot, long epoch) {
        if (!vm.compareAndSetOwner(expect, OwnerWord.pack(state, slot, epoch))) {
            throw new IllegalStateException("the owner word changed");
        }
    }

    @Override
    public void close() {
        server.close();
        transport.close();
        if (zk != null) {
            zk.close();
        }
    }
}
