package io.tombolo.chaos.sim;

import io.tombolo.agent.DrivenHost;
import io.tombolo.agent.handoff.Control;
import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.agent.right.RightActions;
import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.RightKeeper;
import io.tombolo.agent.right.RightLoop;
import io.tombolo.agent.right.RightPhase;
import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.HostSlot;
import io.tombolo.region.Region;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// One incarnation of an agent: the shipped keeper, board, hand-off and request service on a port of its own; its
/// threads are actors, its network and its session are the world's.
final class SimHost extends SimProcess implements HostPorts {
    static final Timings TIMINGS = new Timings(Timings.MIN_BASE_MS);
    private static final int STORING_THREADS = 12;
    /// The shipped tick is 1 ms at this base; a slower one is a keeper that gets its core late.
    private static final long KEEPER_NS = 10_000_000;

    /// Offsets from here on are of this host's own tier.
    static final long LOCAL = 1L << 40;

    private final World world;
    private final LocalTier local;
    private final SimPages pages;
    private final int number;
    private final long bootId;
    private final HostMemory memory;
    private final Region region;
    private ClaimedSlot claimed;
    private HostSlot slot;
    private CheckBoard board;
    private RightLoop right;
    private DrivenHost driven;
    private Scheduler.Loop net;
    private SimMembership membership;
    private Scheduler.Actor keeper;
    private long petNs;
    private int posted;
    private int moving;

    SimHost(World world, int number, int incarnation, long bootId) {
        super("host" + number + (incarnation == 1 ? "" : "#" + incarnation));
        this.world = world;
        this.number = number;
        this.bootId = bootId;
        this.local = LocalTier.over(world.localMemory(number), Path.of("local"));
        this.memory = world.wiring().memory(world, this);
        this.pages = new SimPages(world, this);
        this.region = Region.over(memory, Path.of("simulated"));
    }

    /// Claims a slot and begins to keep the right; on an actor of this host, or before the world runs.
    void start() {
        net = world.scheduler().new Loop(this, this + "/net");
        membership = new SimMembership(world, this, new SimSession(world, this, net, number), this::post);
        claimed = io.tombolo.region.HostSlots.claim(region, world.machines().identity(this));
        slot = region.host(claimed.slot());
        world.oracle().claimed(claimed.slot());
        monitor(region.allocator(claimed.slot()));
        io.tombolo.region.HostSlots.freeStopped(region, world.machines().identity(this).hostUuid(), claimed.slot());
        board = new CheckBoard(world.scheduler()::nowNs, slot::wordAcquire, claimed.word(), STORING_THREADS);
        driven = new DrivenHost(name(), region, claimed, this, new SimHypervisor(world, this, region), World.BOUNDS,
                () -> right, this::exit);
        right = new RightLoop(new RightKeeper(TIMINGS, claimed.word(), true), board,
                new Actions(),
                world.scheduler()::nowNs, world.scheduler()::nowNs, slot::wordAcquire, TIMINGS);
        right.begin();
        petNs = world.scheduler().nowNs();
        keeper = world.scheduler().spawn(this, this + "/keeper", this::keep);
        if (world.plan().moves() > 0) {
            world.scheduler().spawn(this, this + "/mover", () -> new SimMover(world, this).work());
            world.scheduler().spawn(this, this + "/mover2", () -> new SimMover(world, this).work());
        }
        world.scheduler().spawn(this, this + "/petter", this::petAll);
        world.scheduler().spawn(this, this + "/session", () -> membership.work(SimMembership.record(world, this)));
    }

    private void keep() {
        while (right.state().phase() != RightPhase.ENDED) {
            // The shipped loop takes one event a turn, and makes the next turn at once if there is one.
            right.turnNow();
            if (posted > 0) {
                posted--;
            }
            if (posted == 0) {
                world.scheduler().park(KEEPER_NS);
            }
        }
    }

    private void post(RightEvent event) {
        right.post(event);
        posted++;
        keeper.wake();
    }

    private void petAll() {
        while (true) {
            pet();
            world.scheduler().sleep(TIMINGS.petPeriodMs() * 1_000_000L);
        }
    }

    /// As the shipped petter decides it, with time-stamped pets.
    private void pet() {
        boolean fresh = right.fresh();
        long oldest = board.oldestCheckNs();
        if (board.allStopped()) {
            petNs = world.scheduler().nowNs();
        } else if (fresh) {
            petNs = Math.max(petNs, Math.min(world.scheduler().nowNs(), oldest));
        }
        post(new RightEvent.SupervisorSeen());
    }

    private void exit(LapseReason reason, boolean allStopped) {
        world.trace(() -> this + " ends: " + reason + (allStopped ? "" : ", with threads that have not stopped"));
        world.machines().ended(this);
        kill();
    }

    private final class Actions implements RightActions {
        @Override
        public void warn(long remainingNs) {
            driven.actions().warn(remainingNs);
        }

        @Override
        public void pauseAll(LapseReason reason, boolean terminal) {
            world.trace(() -> SimHost.this + ": right lapsed: " + reason);
            world.oracle().lapsed(SimHost.this);
            driven.actions().pauseAll(reason, terminal);
        }

        @Override
        public boolean guestsGone() {
            return driven.actions().guestsGone();
        }

        @Override
        public void renewAll(long generation) {
            world.trace(() -> SimHost.this + ": renews");
            driven.actions().renewAll(generation);
        }

        @Override
        public void resumeAll(long generation) {
            world.trace(() -> SimHost.this + ": resumes");
            driven.actions().resumeAll(generation);
        }

        @Override
        public void stopVm(int vmSlot) {
            driven.actions().stopVm(vmSlot);
        }

        @Override
        public void sayStopped() {
            driven.actions().sayStopped();
        }

        @Override
        public void exit(LapseReason reason, boolean allStopped) {
            driven.actions().exit(reason, allStopped);
        }
    }

    SimPages pages() {
        return pages;
    }

    LocalTier local() {
        return local;
    }

    /// A mover begins or ends a call.
    void moving(int change) {
        moving += change;
    }

    int moving() {
        return moving;
    }

    long localWord(long offset) {
        return local.data().get(ValueLayout.JAVA_LONG, offset);
    }

    void setLocalWord(long offset, long value) {
        local.data().set(ValueLayout.JAVA_LONG, offset, value);
    }

    DrivenHost driven() {
        return driven;
    }

    RightLoop right() {
        return right;
    }

    /// As records name it.
    String hostName() {
        return "h" + number;
    }

    SimSession session() {
        return membership.session();
    }

    int number() {
        return number;
    }

    long bootId() {
        return bootId;
    }

    long incarnation() {
        return claimed == null ? -1 : claimed.incarnation();
    }

    long petNs() {
        return petNs;
    }

    HostMemory memory() {
        return memory;
    }

    Region region() {
        return region;
    }

    int slot() {
        return claimed == null ? -1 : claimed.slot();
    }

    boolean started() {
        return driven != null;
    }

    boolean claims() {
        return world.plan().claims();
    }

    boolean storing() {
        return alive() && board != null && !board.allStopped();
    }

    Scheduler.Loop net() {
        return net;
    }

    List<HostedVm> vms() {
        return driven.vms();
    }

    /// For people: the right, and what there is of VMs.
    String describe() {
        StringBuilder text = new StringBuilder(this + " " + right.state().phase());
        for (HostedVm vm : driven.vms()) {
            text.append(", vm").append(vm.slotIndex()).append(' ').append(vm.facts()).append(' ').append(vm.reason());
        }
        return text.toString();
    }

    boolean held() {
        return right.fresh();
    }

    CompletableFuture<? extends Reply> serve(AgentRequest request) {
        return switch (request) {
            case AgentRequest.MovePages move -> CompletableFuture.completedFuture(pages.move(move));
            case AgentRequest.ListTiers _ -> CompletableFuture.completedFuture(pages.tiers());
            default -> driven.serve(request);
        };
    }

    @Override
    public int self() {
        return claimed.slot();
    }

    @Override
    public boolean rightHolds() {
        return board.gateOpen() && slot.wordAcquire() == claimed.word();
    }

    @Override
    public CheckBoard board() {
        return board;
    }

    @Override
    public void at(HandoffPoint point) {
        world.troubles().at(this, point);
    }

    @Override
    public long nowNs() {
        return world.scheduler().nowNs();
    }

    @Override
    public CompletableFuture<WindowEnd> openWindow(Peer target, long intentSeq, int vmSlot, long epoch,
            long windowNs) {
        CompletableFuture<WindowEnd> end = new CompletableFuture<>();
        world.network().call(this, net, target.host(), new AgentRequest.OpenWindow(intentSeq, vmSlot, epoch, windowNs),
                windowNs + World.RPC_TIMEOUT_NS, (reply, failure) -> {
                    if (failure != null) {
                        end.completeExceptionally(failure);
                    } else {
                        Reply.WindowClosed closed = (Reply.WindowClosed) reply;
                        end.complete(new WindowEnd(closed.ran(), closed.offerSeenNs(), closed.runningNs(),
                                closed.firstInstructionNs(), closed.bytesCopied(), closed.reason()));
                    }
                });
        return end;
    }

    @Override
    public Control control(String vm) {
        Scheduler.Loop loop = world.scheduler().new Loop(this, this + "/" + vm);
        return new Control() {
            @Override
            public void execute(Runnable task) {
                loop.execute(task);
            }

            @Override
            public void schedule(Runnable task, long delayNs) {
                loop.schedule(task, delayNs);
            }

            @Override
            public void shutdown() {
                loop.shutdown();
            }

            @Override
            public boolean isShutdown() {
                return loop.isShutdown();
            }
        };
    }

    @Override
    public <T> void completeAfter(CompletableFuture<T> future, T value, long delayNs) {
        if (!future.isDone()) {
            net.schedule(() -> future.complete(value), delayNs);
        }
    }

    @Override
    public void pause(long ns) {
        world.scheduler().sleep(ns);
    }
}
