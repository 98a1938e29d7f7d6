package io.tombolo.chaos.explore;

import static io.tombolo.chaos.explore.PageWorld.A;
import static io.tombolo.chaos.explore.PageWorld.B;

import io.tombolo.chaos.explore.MoverSteps.Draft;
import io.tombolo.chaos.explore.PageWorld.At;
import io.tombolo.chaos.explore.PageWorld.Control;
import io.tombolo.chaos.explore.PageWorld.Item;
import io.tombolo.chaos.explore.PageWorld.Mover;
import io.tombolo.chaos.explore.PageWorld.Recovery;
import io.tombolo.chaos.explore.PageWorld.Vcpu;
import io.tombolo.chaos.explore.PageWorld.Words;
import io.tombolo.region.FrameWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Moves of the pages of one VM: two movers, a vCPU that keeps translations and takes pages back, a hand-off that
/// closes the gate, deaths and lapses, and the recovery by another host, which may die as well.
class PageModel implements Model<PageWorld> {
    private static final long EPOCH = 10;
    private static final int RECOVERERS = 2;

    private final MoverSteps movers;
    private final int faults;
    private final int batches;

    PageModel(MoverSteps movers, int faults, int batches) {
        this.movers = movers;
        this.faults = faults;
        this.batches = batches;
    }

    @Override
    public String name() {
        return "page-move";
    }

    @Override
    public List<String> bounds() {
        return List.of("1 VM of " + PageWorld.PAGES + " pages, " + PageWorld.SHARED_FRAMES + " frames of the region, "
                + PageWorld.LOCAL_FRAMES + " of the owner's own; 1 vCPU, 2 movers",
                batches + " batches of any pages to any tier, each tried " + movers.rounds() + " times; 1 hand-off",
                faults + (faults == 1 ? " fault" : " faults")
                        + ": death of the owner or of a host that recovers, lapse of the right",
                "any limit may pass at any time; memory keeps program order (crash kind P)");
    }

    @Override
    public List<PageWorld> starts() {
        List<Long> entries = List.of(PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, 0, 0, 0),
                PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, 1, 0, 0));
        List<Long> frames = List.of(FrameWord.used(MoverSteps.VM, 0), FrameWord.used(MoverSteps.VM, 1),
                FrameWord.FREE);
        Words words = new Words(OwnerWord.pack(OwnerState.RUNNING, A, EPOCH), false, 0, 0, entries, frames, 3,
                List.of(1, 2), null);
        return List.of(new PageWorld(words, Mover.IDLE, Mover.IDLE, Vcpu.online(true),
                new Control(true, true, 0, Recovery.NONE, batches, faults)));
    }

    @Override
    public void steps(PageWorld world, Steps<PageWorld> to) {
        if (world.control().alive()) {
            movers.steps(world, 0, to);
            // Two movers that do nothing are the same to everybody.
            if (!(world.first().at() == At.IDLE && world.second().at() == At.IDLE)) {
                movers.steps(world, 1, to);
            }
            owner(world, to);
            if (world.vcpu().online() || world.vcpu().waits() >= 0) {
                vcpu(world, to);
            }
        } else if (world.control().recovery() != Recovery.LOST) {
            recover(world, to);
        }
        if (world.control().faults() > 0 && world.control().recovery() != Recovery.LOST) {
            faults(world, to);
        }
    }

    private static boolean isA(PageWorld world) {
        return OwnerWord.slot(world.words().owner()) == A;
    }

    // ---- the vCPU

    private void vcpu(PageWorld world, Steps<PageWorld> to) {
        Vcpu vcpu = world.vcpu();
        if (vcpu.waits() >= 0) {
            waits(world, to);
            return;
        }
        if (vcpu.asked()) {
            Draft draft = new Draft(world);
            leave(draft, Vcpu.online(true));
            to.step("vCPU", "looks at the counter and drops its translations", draft.world());
        }
        if (!world.control().right()) {
            Draft draft = new Draft(world);
            leave(draft, Vcpu.online(false));
            to.step("vCPU", "its check fails, it stops", draft.world());
        }
        for (int page = 0; page < PageWorld.PAGES; page++) {
            if (vcpu.known(page) == 0) {
                translate(world, page, to);
            } else {
                Draft draft = new Draft(world);
                draft.vcpu = vcpu.knows(page, 0);
                to.step("vCPU", "has no room for its translation of page " + page, draft.world());
                access(world, page, false, to);
                access(world, page, true, to);
            }
        }
    }

    /// Every mover that waits has seen it leave.
    private static void leave(Draft draft, Vcpu now) {
        draft.vcpu = now;
        for (int i = 0; i < draft.movers.length; i++) {
            if (draft.movers[i].at() == At.AWAIT) {
                draft.movers[i] = draft.movers[i].past(true);
            }
        }
    }

    private static void translate(PageWorld world, int page, Steps<PageWorld> to) {
        long entry = world.words().entries().get(page);
        Draft draft = new Draft(world);
        if (PageTableEntry.isPresent(entry)) {
            draft.vcpu = world.vcpu().knows(page, entry);
            to.step("vCPU", "finds page " + page, draft.world());
        } else {
            leave(draft, Vcpu.waiting(page));
            to.step("vCPU", "waits for page " + page, draft.world());
        }
    }

    private void waits(PageWorld world, Steps<PageWorld> to) {
        int page = world.vcpu().waits();
        long entry = world.words().entries().get(page);
        Draft draft = new Draft(world);
        if (PageTableEntry.isPresent(entry)) {
            draft.vcpu = Vcpu.online(true);
            to.step("vCPU", "sees page " + page + " again", draft.world());
        } else {
            // The compare-and-set of VmPages.takeBack: with the entry just read. The vCPU's last check may be older
            // than a lapse, but until it says that it has stopped nobody else stores.
            draft.words = draft.words.entry(page, PageTableEntry.with(entry, PteState.PRESENT));
            draft.vcpu = Vcpu.online(true);
            to.step("vCPU", "takes page " + page + " back", draft.world());
        }
    }

    private static void access(PageWorld world, int page, boolean write, Steps<PageWorld> to) {
        long entry = world.vcpu().known(page);
        boolean local = PageTableEntry.tier(entry) == Tier.LOCAL;
        int frame = (int) PageTableEntry.frame(entry);
        int bit = MoverSteps.bit(local, frame);
        Draft draft = new Draft(world);
        if ((world.words().newest().get(page) & bit) == 0) {
            draft.words = draft.words.wrong("I5: the vCPU " + (write ? "writes" : "reads") + " page " + page
                    + " where its newest contents are not");
        }
        if (!isOurs(world.words(), page, local, frame)) {
            draft.words = draft.words.wrong("I2: the vCPU uses a frame that is not page " + page + "'s any more");
        }
        if (write) {
            draft.words = draft.words.newest(page, bit);
            for (int i = 0; i < draft.movers.length; i++) {
                Mover mover = draft.movers[i];
                Item item = mover.at() == At.COPYING ? mover.items().get(mover.next()) : null;
                if (item != null && item.page() == page) {
                    draft.movers[i] = mover.torn(true);
                }
            }
        }
        PageWorld after = draft.world();
        if (!after.equals(world)) {
            to.step("vCPU", (write ? "writes" : "reads") + " page " + page, after);
        }
    }

    private static boolean isOurs(Words words, int page, boolean local, int frame) {
        if (local) {
            return (words.localFree() & 1 << frame) == 0;
        }
        long word = words.frames().get(frame);
        return word == FrameWord.used(MoverSteps.VM, page) || word == FrameWord.reserved(A, MoverSteps.VM, page);
    }

    // ---- the owner: hand-off and right

    private void owner(PageWorld world, Steps<PageWorld> to) {
        Control control = world.control();
        Draft draft = new Draft(world);
        if (control.handOff() == 0 && isA(world) && control.right()) {
            draft.words = draft.words.gate(true, world.words().inside());
            draft.control = control.handOff(1);
            to.step("A", "closes the gate for a hand-off", draft.world());
        } else if (control.handOff() == 1 && isA(world) && isDrained(world)) {
            draft.control = control.handOff(2);
            if (world.words().localPages() == 0 && control.right()) {
                leave(draft, Vcpu.online(true));
                draft.words = draft.words.owner(OwnerWord.pack(OwnerState.RUNNING, B,
                        OwnerWord.epoch(world.words().owner()) + 1)).gate(false, 0);
                to.step("A", "hands the VM over to B", draft.world());
            } else {
                draft.words = draft.words.gate(false, world.words().inside());
                to.step("A", "opens the gate again", draft.world());
            }
        }
        boolean stopped = !world.vcpu().online() && world.vcpu().waits() < 0 && world.first().at() == At.IDLE
                && world.second().at() == At.IDLE;
        if (!control.right() && stopped && isA(world)) {
            Draft renewed = new Draft(world);
            renewed.control = control.right(true);
            renewed.vcpu = Vcpu.online(true);
            renewed.words = renewed.words.owner(OwnerWord.pack(OwnerState.RUNNING, A,
                    OwnerWord.epoch(world.words().owner()) + 1));
            to.step("A", "renews its right", renewed.world());
        }
    }

    /// Whether nobody is inside the gate, or on the way in.
    boolean isDrained(PageWorld world) {
        return world.words().inside() == 0 && world.first().at() != At.PASS && world.second().at() != At.PASS;
    }

    // ---- deaths, and recovery by another host

    private static void faults(PageWorld world, Steps<PageWorld> to) {
        Control control = world.control();
        if (control.alive() && isA(world)) {
            Draft dead = new Draft(world);
            dead.movers[0] = Mover.IDLE;
            dead.movers[1] = Mover.IDLE;
            dead.vcpu = Vcpu.online(false);
            dead.control = control.fault().dead();
            to.fault("A", "dies", dead.world());
            if (control.right()) {
                Draft lapsed = new Draft(world);
                lapsed.control = control.fault().right(false);
                to.fault("A", "its right lapses", lapsed.world());
            }
        } else if (!control.alive() && control.recovery() != Recovery.NONE) {
            Draft again = new Draft(world);
            again.control = control.fault().recovers(Recovery.NONE);
            to.fault("the recovering host", "dies", again.world());
        }
    }

    private void recover(PageWorld world, Steps<PageWorld> to) {
        Control control = world.control();
        Words words = world.words();
        Draft draft = new Draft(world);
        String who = "the recovering host";
        switch (control.recovery()) {
            case NONE -> {
                draft.control = control.recovers(Recovery.FRAMES);
                to.step(who, "begins", draft.world());
            }
            case FRAMES -> {
                boolean any = false;
                for (int frame = 0; frame < PageWorld.SHARED_FRAMES; frame++) {
                    any |= settleFrame(world, frame, who, to);
                }
                if (!any) {
                    long epoch = OwnerWord.epoch(words.owner()) + 1;
                    int slot = OwnerWord.slot(words.owner()) == A ? B : A + RECOVERERS;
                    draft.words = words.owner(OwnerWord.pack(OwnerState.RECOVERING, slot, epoch));
                    draft.control = control.recovers(Recovery.ENTRIES);
                    to.step(who, "takes the owner word", draft.world());
                }
            }
            case ENTRIES -> {
                boolean any = false;
                for (int page = 0; page < PageWorld.PAGES; page++) {
                    long entry = words.entries().get(page);
                    if (PageTableEntry.state(entry) == PteState.MIGRATING) {
                        any = true;
                        Draft settled = new Draft(world);
                        settled.words = words.entry(page, PageTableEntry.with(entry, PteState.PRESENT));
                        to.step(who, "settles entry " + page, settled.world());
                    }
                }
                if (!any) {
                    int local = (int) words.entries().stream()
                            .filter(entry -> PageTableEntry.tier(entry) == Tier.LOCAL).count();
                    draft.words = words.localPages(local).gate(false, 0);
                    draft.control = control.recovers(Recovery.LOST);
                    checkWhole(draft);
                    to.step(who, local == 0 ? "has recovered the VM" : "finds pages lost with A", draft.world());
                }
            }
            case LOST -> {
            }
        }
    }

    private boolean settleFrame(PageWorld world, int frame, String who, Steps<PageWorld> to) {
        long word = world.words().frames().get(frame);
        if (!MoverSteps.isReservedBy(word, A)) {
            return false;
        }
        long page = FrameWord.page(word);
        Draft draft = new Draft(world);
        draft.words = draft.words.frame(frame, isKept(world.words(), frame, (int) page)
                ? FrameWord.used(MoverSteps.VM, page)
                : FrameWord.FREE);
        to.step(who, "settles frame " + frame, draft.world());
        return true;
    }

    /// `Recovery.entryNames`.
    boolean isKept(Words words, int frame, int page) {
        long entry = words.entries().get(page);
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && PageTableEntry.frame(entry) == frame;
    }

    /// After a recovery: frames conserved, and every page that is in the region has its newest contents.
    private static void checkWhole(Draft draft) {
        Words words = draft.words;
        for (int frame = 0; frame < PageWorld.SHARED_FRAMES; frame++) {
            if (!isConserved(words, frame)) {
                draft.words = draft.words.wrong("I4: after recovery frame " + frame + " is "
                        + FrameWord.describe(words.frames().get(frame)));
            }
        }
        for (int page = 0; page < PageWorld.PAGES; page++) {
            long entry = words.entries().get(page);
            boolean newest = (words.newest().get(page)
                    & MoverSteps.bit(false, (int) PageTableEntry.frame(entry))) != 0;
            if (PageTableEntry.tier(entry) == Tier.SHARED && !newest) {
                draft.words = draft.words.wrong("I5: after recovery page " + page + " has lost what was written");
            }
        }
    }

    /// The word says USED by the page whose entry names the frame, and FREE if none does.
    private static boolean isConserved(Words words, int frame) {
        long expected = FrameWord.FREE;
        for (int page = 0; page < PageWorld.PAGES; page++) {
            long entry = words.entries().get(page);
            if (PageTableEntry.tier(entry) == Tier.SHARED && PageTableEntry.frame(entry) == frame) {
                expected = FrameWord.used(MoverSteps.VM, page);
            }
        }
        return words.frames().get(frame) == expected;
    }

    @Override
    public Optional<String> violation(PageWorld world) {
        if (world.words().wrong() != null) {
            return Optional.of(world.words().wrong());
        }
        if (world.control().alive() && world.first().at() == At.IDLE && world.second().at() == At.IDLE) {
            return atRest(world.words(), isA(world));
        }
        return Optional.empty();
    }

    private static Optional<String> atRest(Words words, boolean ownLocal) {
        for (int frame = 0; frame < PageWorld.SHARED_FRAMES; frame++) {
            if (!isConserved(words, frame)) {
                return Optional.of("I4: nothing moves, and frame " + frame + " is "
                        + FrameWord.describe(words.frames().get(frame)));
            }
        }
        long local = words.entries().stream().filter(entry -> PageTableEntry.tier(entry) == Tier.LOCAL).count();
        if (local != words.localPages()) {
            return Optional.of("nothing moves, " + local + " pages are local, and the count is " + words.localPages());
        }
        if (ownLocal && PageWorld.LOCAL_FRAMES - Integer.bitCount(words.localFree()) != local) {
            return Optional.of("I4: nothing moves, and local frames are lost");
        }
        boolean marked = words.entries().stream().anyMatch(entry -> !PageTableEntry.isPresent(entry));
        return marked ? Optional.of("nothing moves, and a page is marked") : Optional.empty();
    }

    /// The guest runs and nothing moves; or it was recovered, or is lost with its local pages.
    @Override
    public boolean isGood(PageWorld world) {
        return world.control().recovery() == Recovery.LOST || (world.control().alive() && world.vcpu().online()
                && world.first().at() == At.IDLE && world.second().at() == At.IDLE && !world.words().closed());
    }

    @Override
    public Map<String, String> facts(PageWorld world) {
        return PageFacts.of(world);
    }

    @Override
    public PageWorld canonical(PageWorld world) {
        return PageSymmetry.canonical(world);
    }

    @Override
    public Object[] parts(PageWorld world) {
        return new Object[]{world.words(), world.vcpu(), world.first(), world.second(), world.control()};
    }

    @Override
    public PageWorld of(Object[] parts) {
        return new PageWorld((Words) parts[0], (Mover) parts[2], (Mover) parts[3], (Vcpu) parts[1],
                (Control) parts[4]);
    }
}
