package io.tombolo.chaos.sim;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestContext;
import io.tombolo.agent.hypervisor.GuestFacts;
import io.tombolo.agent.hypervisor.IncomingGuest;
import io.tombolo.agent.hypervisor.IncomingPort;
import io.tombolo.agent.hypervisor.OfferPort;
import io.tombolo.agent.hypervisor.OfferResult;
import io.tombolo.agent.hypervisor.OfferResult.Outcome;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.region.Blob;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// A guest of a simulated world: what the shipped simulated driver is to a real host, with actors for its vCPU threads
/// and a program that reads and writes words of its pages. Every access of a vCPU goes through the page table, step by
/// step, and is checked by the [Oracle].
///
/// Modelled after VcpuRunner and SimulatedGuest: the last vCPU to stop carries out the switch on its own thread; the
/// first one waits for an arrival, loads the state and executes at once; between slices each looks at its right.
final class SimGuest implements Guest, IncomingGuest {
    static final int REGISTERS = 6;
    private static final int SCHEMA = 1;
    private static final long LOOK_NS = 400_000;
    private static final long SPIN_NS = 4_000;
    private static final long SLICE_NS = 10_000;
    private static final long IDLE_NS = 3_000_000;
    private static final int WARM_SLICES = 3;
    private static final long TAKE_BACK_NS = 5_000;

    private enum Order {
        STOP, RUN, SWITCH, KILL
    }

    private final World world;
    private final SimHost host;
    private final GuestContext context;
    private final int vm;
    private final VmPages pages;
    private final PageTable table;
    /// By vCPU and page; 0: none.
    private final long[][] translations;
    private final HostMemory memory;
    private final Scheduler.Actor[] vcpus;
    private final CheckBoard.Checker[] checkers;
    private final long[] registers = new long[REGISTERS];
    private final List<Scheduler.Actor> waiting = new ArrayList<>();
    private Order order = Order.STOP;
    private int active;
    private long generation;
    private IncomingPort incoming;
    private IncomingPort toTell;
    private boolean windowAsked;
    private long spinUntilNs;
    private OfferPort offer;
    private OfferResult offered;
    private boolean switchDue;
    private boolean gone;

    SimGuest(World world, SimHost host, GuestContext context, VmPages pages) {
        this.world = world;
        this.host = host;
        this.context = context;
        this.vm = context.slot().index();
        this.pages = pages;
        this.table = pages.table();
        this.translations = new long[context.spec().vcpus()][(int) table.pages()];
        this.memory = host.memory();
        int count = context.spec().vcpus();
        this.vcpus = new Scheduler.Actor[count];
        this.checkers = new CheckBoard.Checker[count];
        for (int i = 0; i < count; i++) {
            int vcpu = i;
            checkers[i] = context.board().register("vcpu " + i, context.ownerHolds());
            vcpus[i] = world.scheduler().spawn(host, host + "/vm" + vm + "/vcpu" + i, () -> vcpu(vcpu));
        }
    }

    // ---- control side

    private void wakeAll() {
        for (Scheduler.Actor vcpu : vcpus) {
            vcpu.wake();
        }
    }

    private void wakeWaiting() {
        waiting.forEach(Scheduler.Actor::wake);
        waiting.clear();
    }

    private void await(java.util.function.BooleanSupplier until) {
        while (!until.getAsBoolean()) {
            waiting.add(world.scheduler().current());
            world.scheduler().park(1_000_000);
        }
    }

    @Override
    public void run() {
        world.trace(() -> host + ": vm" + vm + " is to run: " + facts().note());
        if (order == Order.STOP && active == 0 && incoming == null) {
            open();
            wakeAll();
        }
    }

    private void open() {
        active = vcpus.length;
        order = Order.RUN;
        generation++;
    }

    @Override
    public void stop() {
        if (order == Order.RUN) {
            order = Order.STOP;
        }
        wakeAll();
        await(() -> active == 0);
    }

    @Override
    public OfferResult offer(OfferPort port) {
        if (order != Order.RUN) {
            return OfferResult.failed(false, "the guest does not run");
        }
        offered = null;
        offer = port;
        switchDue = true;
        wakeAll();
        await(() -> offered != null || (order == Order.STOP && active == 0) || order == Order.KILL);
        switchDue = false;
        offer = null;
        return offered == null ? OfferResult.failed(false, "the guest stopped") : offered;
    }

    @Override
    public void reclaim() {
        // The registers are where they were.
    }

    @Override
    public int saveStopped(OfferPort port) {
        memory.storeThrough(port.payload(), registers);
        port.offer(REGISTERS * 8, SCHEMA);
        return REGISTERS * 8;
    }

    @Override
    public void kill() {
        pages.close();
        order = Order.KILL;
        wakeAll();
        await(() -> active == 0 && incoming == null);
        if (!gone) {
            gone = true;
            for (CheckBoard.Checker checker : checkers) {
                checker.close();
            }
        }
    }

    @Override
    public GuestFacts facts() {
        return new GuestFacts(order == Order.RUN, List.of(), -1, -1, false, order + ", active " + active
                + (incoming == null ? "" : ", waits"));
    }

    @Override
    public CompletableFuture<GuestReply> call(GuestCall call) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException("no clients in this world"));
    }

    @Override
    public List<InputEntry> inputLog() {
        return List.of();
    }

    // ---- arriving

    SimGuest await(IncomingPort port) {
        incoming = port;
        vcpus[0].wake();
        return this;
    }

    @Override
    public void openWindow(long spinNs) {
        spinUntilNs = world.scheduler().nowNs() + spinNs;
        windowAsked = true;
        vcpus[0].wake();
    }

    @Override
    public Guest guest() {
        return this;
    }

    @Override
    public void discard() {
        kill();
    }

    private boolean arrive(IncomingPort port) {
        while (order != Order.KILL) {
            if (port.offered()) {
                if (!load(port)) {
                    return false;
                }
                if (host.claims() && !port.claim()) {
                    continue;
                }
                if (port.run()) {
                    toTell = port;
                    return true;
                }
                continue;
            }
            if (windowAsked) {
                windowAsked = false;
                spin(port);
            } else {
                world.scheduler().park(LOOK_NS);
            }
        }
        return false;
    }

    private void spin(IncomingPort port) {
        port.spinning();
        while (!port.offered()) {
            port.beat();
            if (world.scheduler().nowNs() - spinUntilNs >= 0 || order == Order.KILL) {
                port.windowPassed();
                return;
            }
            world.scheduler().sleep(SPIN_NS);
        }
    }

    private boolean load(IncomingPort port) {
        try {
            Blob blob = port.take();
            if (world.refusesBlob()) {
                port.refused("a state that this host cannot load");
                return false;
            }
            for (int i = 0; i < REGISTERS; i++) {
                registers[i] = blob.bytes().get(ValueLayout.JAVA_LONG_UNALIGNED, i * 8L);
            }
            return true;
        } catch (TomboloException e) {
            world.refused(host, vm, e);
            port.refused(e.getMessage());
            return false;
        }
    }

    private void tell() {
        if (toTell != null) {
            IncomingPort port = toTell;
            toTell = null;
            long now = world.scheduler().nowNs();
            port.running(now, now, now);
        }
    }

    // ---- vCPU side

    private void vcpu(int number) {
        long seen = 0;
        while (true) {
            if (generation != seen) {
                seen = generation;
                runUntilClosed(number);
            } else if (order == Order.KILL) {
                return;
            } else if (number == 0 && incoming != null) {
                IncomingPort port = incoming;
                boolean arrived = arrive(port);
                if (arrived && order != Order.KILL) {
                    open();
                    incoming = null;
                } else {
                    incoming = null;
                    wakeWaiting();
                }
            } else {
                world.scheduler().parkForever();
            }
        }
    }

    private void runUntilClosed(int number) {
        CheckBoard.Checker checker = checkers[number];
        Oracle.Stretch stretch = null;
        boolean lapsed = false;
        int slices = 0;
        Rng rng = world.guestRng();
        while (order == Order.RUN) {
            boolean first = slices == 0;
            if (!first && number == 0) {
                tell();
                if (switchDue && order == Order.RUN) {
                    // Whether the target's thread is seen to spin only decides when.
                    var _ = offer.targetSpins();
                    switchDue = false;
                    if (order == Order.RUN) {
                        order = Order.SWITCH;
                        wakeAll();
                    }
                }
            }
            if (!(first ? checker.start() : checker.check())) {
                lapsed = true;
                if (order == Order.RUN) {
                    order = Order.STOP;
                    wakeAll();
                }
                break;
            }
            if (stretch == null) {
                stretch = world.oracle().begin(host, vm, registers);
                online(number);
                if (number == 0 && slices == 0) {
                    wakeAll();
                }
            } else {
                quiesce(number);
            }
            for (int i = first ? 1 : 1 + rng.below(3); i > 0; i--) {
                instruction(number, stretch, rng);
            }
            slices++;
            if (order == Order.RUN && !switchDue) {
                rest(number, slices, rng);
            }
        }
        stopped(number, stretch, lapsed);
    }

    private void rest(int number, int slices, Rng rng) {
        if (slices > WARM_SLICES && !(world.plan().busyMovers() && host.moving() > 0)) {
            // Many slices that nothing comes of. Most vCPUs pass quiescent states all the time meanwhile; some stand
            // still, and movers wait for them.
            boolean still = rng.oneIn(4);
            if (!still) {
                pages.shootdown().offline(number);
            }
            world.scheduler().park(rng.between(SLICE_NS, IDLE_NS));
            if (!still) {
                online(number);
            }
        } else {
            world.scheduler().park(rng.between(100, SLICE_NS));
        }
    }

    private void stopped(int number, Oracle.Stretch stretch, boolean lapsed) {
        if (stretch != null) {
            pages.shootdown().offline(number);
        }
        if (number == 0) {
            tell();
        }
        boolean last = active == 1;
        if (stretch != null) {
            world.oracle().end(vm, stretch, registers);
        }
        if (order == Order.SWITCH && last) {
            // On the thread that stopped last, which counts as running until it has stored.
            OfferPort port = offer;
            if (stretch != null || checkers[number].start()) {
                memory.storeThrough(port.payload(), registers);
                boolean won = port.offer(REGISTERS * 8, SCHEMA);
                offered = new OfferResult(won ? Outcome.OFFERED : Outcome.CAS_LOST, "", 0, 0, 0, REGISTERS * 8);
            } else {
                lapsed = true;
            }
            if (order == Order.SWITCH) {
                order = Order.STOP;
            }
        }
        checkers[number].stopped();
        active--;
        wakeWaiting();
        if (lapsed) {
            world.trace(() -> host + ": vm" + vm + " stops by itself: its right does not hold");
            context.stoppedByItself().accept("the right to run lapsed");
        }
    }

    /// Reads a word of a page, or reads it and writes another value.
    private void instruction(int number, Oracle.Stretch stretch, Rng rng) {
        int page = rng.below((int) table.pages());
        int word = number % Oracle.WORDS_PER_PAGE;
        boolean writes = rng.below(3) != 0;
        long at = translate(number, page) + word * 8L;
        world.guestAccess(host, vm, stretch, () -> world.oracle().read(host, vm, page, word,
                at < SimHost.LOCAL ? memory.rawLoad(at) : host.localWord(at - SimHost.LOCAL)));
        registers[0]++;
        registers[1] = Long.rotateLeft(registers[1], 7) ^ at;
        registers[2 + number] = registers[0];
        if (writes) {
            long value = world.freshValue();
            // The same translation: it holds until the end of the slice.
            world.guestAccess(host, vm, stretch, () -> {
                if (at < SimHost.LOCAL) {
                    memory.guestStore(at, value);
                } else {
                    host.setLocalWord(at - SimHost.LOCAL, value);
                }
                world.oracle().wrote(vm, page, word, value);
            });
        }
    }

    private void online(int number) {
        Arrays.fill(translations[number], 0);
        if (world.wiring().vcpusTell()) {
            pages.shootdown().online(number);
        }
    }

    private void quiesce(int number) {
        if (world.wiring().vcpusTell() && pages.shootdown().quiescent(number)) {
            Arrays.fill(translations[number], 0);
        }
    }

    /// Offset of the page's bytes, from this vCPU's translations if it has one.
    private long translate(int number, int page) {
        while (translations[number][page] == 0) {
            long entry = table.entryAcquire(page);
            if (PageTableEntry.state(entry) == PteState.PRESENT) {
                long frame = PageTableEntry.frame(entry);
                translations[number][page] = PageTableEntry.tier(entry) == Tier.SHARED
                        ? host.region().frameDataOffset(frame)
                        : SimHost.LOCAL + frame * Oracle.FRAME_BYTES;
            } else {
                awaitPresent(number, page);
            }
        }
        return translations[number][page];
    }

    /// As MovingPageWait: leaves the translations, waits, and takes the page back after a while.
    private void awaitPresent(int number, int page) {
        pages.shootdown().offline(number);
        long since = world.scheduler().nowNs();
        while (true) {
            long entry = table.entryAcquire(page);
            if (PageTableEntry.state(entry) != PteState.MIGRATING
                    || (world.scheduler().nowNs() - since > TAKE_BACK_NS && checkers[number].check()
                            && pages.takeBack(page, entry))) {
                break;
            }
            world.scheduler().sleep(500);
        }
        online(number);
    }

    @Override
    public Optional<VmPages> pages() {
        return Optional.of(pages);
    }

    @Override
    public String toString() {
        return host + "/vm" + vm + " " + order + " " + Arrays.toString(registers);
    }
}
