package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.Call.Bytes;
import io.tombolo.chaos.explore.Call.Kind;
import io.tombolo.chaos.explore.TakeoverWorld.Truth;
import io.tombolo.chaos.sim.ArrayMemory;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.FrameState;
import io.tombolo.region.FrameWord;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.Memory;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.Superblock;
import io.tombolo.region.Takeover;
import io.tombolo.region.WatchdogBound;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// Takeover of one protected VM: its owner A, who writes pages and commits, and C and D, who take it over when
/// coordinators say so. The region's own code runs, one call of the memory port a step.
class TakeoverModel implements Model<TakeoverWorld> {
    private static final UUID CLUSTER = new UUID(5, 5);
    private static final Path NAME = Path.of("explored");

    private final TakeoverLife life;
    private final int faults;
    private final RegionImage image;
    private final Lives[] lives = new Lives[TakeoverLife.HOSTS];
    private final Bytes committed;

    TakeoverModel(TakeoverLife life, int faults) {
        this.life = life;
        this.faults = faults;
        FormatOptions options = new FormatOptions(CLUSTER, TakeoverLife.HOSTS, 2, 1L << 21, 4096, false, false);
        long[] words = new long[(int) (Region.bytesNeeded(options) / 8)];
        Memory memory = new ArrayMemory(MemorySegment.ofArray(words));
        Superblock layout = Region.formatOver(memory, options, new UUID(9, 9), 0);
        Region region = Region.over(memory, NAME);
        for (int host = 0; host < TakeoverLife.HOSTS; host++) {
            HostSlots.claim(region, new HostIdentity(new UUID(1, host), TakeoverDraft.name(host), new UUID(2, host),
                    100 + host, WatchdogBound.UNKNOWN));
        }
        long firstFrame = life.fill(memory);
        long[] filled = words.clone();
        committed = new Bytes(TakeoverLife.create(memory).line());
        long tableFrame = region.vm(0).readIdentity().tableFirstFrame();
        long logFrame = tableFrame + 1;
        while (FrameWord.state(memory.load(layout.frameOffset() + logFrame * 8)) != FrameState.TABLE) {
            logFrame++;
        }
        RegionImage before = new RegionImage(filled, layout, firstFrame, tableFrame, logFrame);
        image = new RegionImage(words, layout, firstFrame, tableFrame, logFrame);
        lives[0] = new Lives(before, image, life::own);
        lives[1] = new Lives(image, image, port -> life.standBy(port, 1));
        lives[2] = new Lives(image, image, port -> life.standBy(port, 2));
    }

    @Override
    public String name() {
        return "takeover";
    }

    @Override
    public List<String> bounds() {
        return List.of("1 protected VM of " + TakeoverLife.PAGES + " pages, 3 hosts, any number of coordinators",
                "the owner makes " + life.ownerSteps() + " writes and commits in any order, whoever goes on "
                        + life.nextOwnerSteps(),
                faults + (faults == 1 ? " fault" : " faults")
                        + ": death of a host anywhere, or a host that is fenced and may stand still and wake up",
                "any limit may pass at any time; memory keeps program order (crash kind P)");
    }

    @Override
    public List<TakeoverWorld> starts() {
        Words[] none = new Words[RegionImage.AREAS];
        Arrays.fill(none, Words.NONE);
        Truth truth = new Truth(committed, committed, TakeoverLife.EPOCH, 0, 0, 0, 0,
                List.of(TakeoverLife.EPOCH, 0L, 0L), faults, null);
        return List.of(new TakeoverWorld(List.of(none), Arrays.stream(lives).map(Lives::first).toList(), truth));
    }

    RegionImage image() {
        return image;
    }

    /// What a call does; tests plant what it must not.
    Object make(TakeoverDraft draft, int host, Call call) {
        return draft.make(host, call);
    }

    @Override
    public void steps(TakeoverWorld world, Steps<TakeoverWorld> to) {
        for (int host = 0; host < TakeoverLife.HOSTS; host++) {
            if (world.hosts().get(host).next().kind() != Kind.END) {
                host(world, host, to);
            }
            around(world, host, to);
        }
    }

    // ---- a host

    private void host(TakeoverWorld world, int host, Steps<TakeoverWorld> to) {
        Call call = world.hosts().get(host).next();
        String who = TakeoverDraft.name(host);
        switch (call.kind()) {
            case CHOOSE -> {
                for (int way = 0; way < call.a(); way++) {
                    TakeoverDraft draft = new TakeoverDraft(image, world);
                    goOn(draft, world, host, way);
                    to.step(who, call.offset() == 1 ? "goes on" : way == 0 ? "is to write a page" : "is to commit", draft.world());
                }
            }
            case ORDER -> order(world, host, to);
            case AWAIT -> {
                TakeoverDraft draft = new TakeoverDraft(image, world);
                Region region = Region.over(draft.memory(), NAME);
                if (isNobodyInDoubt(region, host, call.a())) {
                    goOn(draft, world, host, "");
                    to.step(who, "finds nobody in doubt", draft.world());
                }
            }
            case END, FAILED -> {
            }
            default -> {
                TakeoverDraft draft = new TakeoverDraft(image, world);
                goOn(draft, world, host, make(draft, host, call));
                to.step(who, TakeoverFacts.describe(image, call), draft.world());
            }
        }
    }

    boolean isNobodyInDoubt(Region region, int host, long mine) {
        return Takeover.inDoubt(region, region.vm(0), mine).isEmpty();
    }

    private void goOn(TakeoverDraft draft, TakeoverWorld world, int host, Object result) {
        draft.host(host, lives[host].after(world.hosts().get(host), result, call -> make(draft, host, call)));
    }

    /// A coordinator tells a host to take the VM over from one whose slot is not LIVE. Whoever is told first is called
    /// C: they do the same.
    private void order(TakeoverWorld world, int host, Steps<TakeoverWorld> to) {
        long owner = load(world, image.owner());
        boolean second = host == 2 && world.hosts().get(1) == lives[1].first() && isLive(world, 1);
        if (second || OwnerWord.slot(owner) == host || !isLive(world, host) || isLive(world, OwnerWord.slot(owner))) {
            return;
        }
        TakeoverDraft draft = new TakeoverDraft(image, world);
        goOn(draft, world, host, owner);
        to.step("K", "tells " + TakeoverDraft.name(host) + " to take the VM over from "
                + TakeoverDraft.name(OwnerWord.slot(owner)), draft.world());
    }

    private long load(TakeoverWorld world, long offset) {
        return world.words().get(image.area(offset)).get((int) (offset >>> 3), image.first(offset));
    }

    private boolean isLive(TakeoverWorld world, int host) {
        return state(world, host) == HostState.LIVE;
    }

    private HostState state(TakeoverWorld world, int host) {
        return SlotWord.state(load(world, image.host(host)));
    }

    // ---- what happens to a host

    private void around(TakeoverWorld world, int host, Steps<TakeoverWorld> to) {
        boolean dead = world.hosts().get(host) == Lives.DEAD;
        boolean mayFail = !dead && world.truth().faults() > 0 && isConcerned(world, host);
        HostState state = state(world, host);
        String who = TakeoverDraft.name(host);
        if (state == HostState.LIVE && (dead || mayFail)) {
            TakeoverDraft draft = new TakeoverDraft(image, world);
            HostSlots.fence(Region.over(draft.memory(), NAME), host, incarnation(world, host));
            if (dead) {
                to.step("K", "has " + who + " fenced", draft.world());
            } else {
                draft.fault();
                to.fault("K", "has " + who + " fenced, which lives", draft.world());
            }
        } else if (state == HostState.FENCING && mayConfirm(dead)) {
            TakeoverDraft draft = new TakeoverDraft(image, world);
            HostSlots.confirmStopped(Region.over(draft.memory(), NAME), host, incarnation(world, host));
            to.step("K", "confirms that " + who + " has stopped", draft.world());
        }
        if (!dead && (state == HostState.FENCING || (state == HostState.LIVE && mayFail))) {
            TakeoverDraft killed = new TakeoverDraft(image, world);
            killed.host(host, Lives.DEAD);
            if (state == HostState.FENCING) {
                to.step("watchdog", "kills " + who, killed.world());
            } else {
                killed.fault();
                to.fault(who, "dies", killed.world());
            }
        }
    }

    private long incarnation(TakeoverWorld world, int host) {
        return SlotWord.incarnation(load(world, image.host(host)));
    }

    /// A host that has no part in anything can do no harm by failing.
    private boolean isConcerned(TakeoverWorld world, int host) {
        Kind next = world.hosts().get(host).next().kind();
        return OwnerWord.slot(load(world, image.owner())) == host
                || (host > 0 && next != Kind.ORDER && next != Kind.END);
    }

    /// Whether there is evidence that a fenced host has stopped.
    boolean mayConfirm(boolean dead) {
        return dead;
    }

    @Override
    public Optional<String> violation(TakeoverWorld world) {
        return Optional.ofNullable(world.truth().wrong());
    }

    /// A live host executes the VM; or nobody is left who could be told to take it over.
    @Override
    public boolean isGood(TakeoverWorld world) {
        long owner = load(world, image.owner());
        int host = OwnerWord.slot(owner);
        if (OwnerWord.is(owner, OwnerState.RUNNING) && isLive(world, host)
                && world.hosts().get(host) != Lives.DEAD) {
            return true;
        }
        for (int next = 1; next < TakeoverLife.HOSTS; next++) {
            if (world.hosts().get(next) != Lives.DEAD && isLive(world, next)
                    && world.hosts().get(next).next().kind() != Kind.END) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Object[] parts(TakeoverWorld world) {
        Object[] parts = new Object[RegionImage.AREAS + TakeoverLife.HOSTS + 1];
        for (int area = 0; area < RegionImage.AREAS; area++) {
            parts[area] = world.words().get(area);
        }
        for (int host = 0; host < TakeoverLife.HOSTS; host++) {
            parts[RegionImage.AREAS + host] = world.hosts().get(host);
        }
        parts[RegionImage.AREAS + TakeoverLife.HOSTS] = world.truth();
        return parts;
    }

    @Override
    public TakeoverWorld of(Object[] parts) {
        List<Words> words = Arrays.stream(parts, 0, RegionImage.AREAS).map(Words.class::cast).toList();
        List<Lives.Node> hosts = Arrays
                .stream(parts, RegionImage.AREAS, RegionImage.AREAS + TakeoverLife.HOSTS).map(Lives.Node.class::cast)
                .toList();
        return new TakeoverWorld(words, hosts, (Truth) parts[RegionImage.AREAS + TakeoverLife.HOSTS]);
    }

    @Override
    public Map<String, String> facts(TakeoverWorld world) {
        return TakeoverFacts.of(image, world);
    }

    /// Runs of the region's code from its beginning, for whoever looks where time goes.
    long replays() {
        return Arrays.stream(lives).mapToLong(Lives::replays).sum();
    }
}
