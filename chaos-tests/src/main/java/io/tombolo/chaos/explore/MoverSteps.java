package io.tombolo.chaos.explore;

import static io.tombolo.chaos.explore.PageWorld.A;

import io.tombolo.chaos.explore.PageWorld.At;
import io.tombolo.chaos.explore.PageWorld.Item;
import io.tombolo.chaos.explore.PageWorld.Mover;
import io.tombolo.chaos.explore.PageWorld.Vcpu;
import io.tombolo.chaos.explore.PageWorld.Words;
import io.tombolo.region.FrameState;
import io.tombolo.region.FrameWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import java.util.ArrayList;
import java.util.List;

/// What a mover of the owner does, store by store, in the order of `PageMover`, `FrameAllocator` and `LocalTier`, with
/// the region's own codecs. Tests plant bugs in what they override.
class MoverSteps {
    static final int VM = 0;
    private final int rounds;

    /// @param rounds how often a page is tried that the vCPU takes back; in `PageMover` it is more
    MoverSteps(int rounds) {
        this.rounds = rounds;
    }

    int rounds() {
        return rounds;
    }

    /// What a compare-and-set of an entry compares.
    boolean matches(long found, long expect) {
        return found == expect;
    }

    /// Whether the mover waits until no vCPU uses what it read before the mark.
    boolean waitsForVcpus() {
        return true;
    }

    /// What comes after the shoot-down.
    At afterShootdown() {
        return At.COPY;
    }

    /// What comes after the copies.
    At afterCopies() {
        return At.PUBLISH;
    }

    /// What comes after the entries.
    At afterPublish() {
        return At.GIVE_UP;
    }

    boolean checksRight() {
        return true;
    }

    /// One store of one mover, as a change of a world.
    static final class Draft {
        Words words;
        final Mover[] movers;
        Vcpu vcpu;
        PageWorld.Control control;

        Draft(PageWorld was) {
            words = was.words();
            movers = new Mover[]{was.first(), was.second()};
            vcpu = was.vcpu();
            control = was.control();
        }

        PageWorld world() {
            return new PageWorld(words, movers[0], movers[1], vcpu, control);
        }
    }

    void steps(PageWorld world, int index, Model.Steps<PageWorld> to) {
        Mover mover = world.mover(index);
        String who = index == 0 ? "mover 1" : "mover 2";
        if (mover.at() == At.IDLE) {
            begin(world, index, who, to);
            return;
        }
        if (mover.at() == At.AWAIT && !mover.past() && waitsForVcpus()) {
            Draft draft = new Draft(world);
            draft.movers[index] = mover.at(At.GIVE_UP);
            to.step(who, "waits no longer for the vCPU", draft.world());
            return;
        }
        Draft draft = new Draft(world);
        step(draft, index);
        to.step(who, "does " + mover.at() + (isPerPage(mover.at()) && mover.next() < mover.items().size()
                ? " of page " + mover.items().get(mover.next()).page()
                : ""), draft.world());
    }

    private static boolean isPerPage(At at) {
        return switch (at) {
            case RESERVE, MARK, RETIRE, COPY, COPYING, PUBLISH, GIVE_UP, SETTLE -> true;
            case IDLE, ENTER, PASS, LOOK, ADD_LOCAL, BEGIN, AWAIT, ADJUST, LEAVE -> false;
        };
    }

    private static void begin(PageWorld world, int index, String who, Model.Steps<PageWorld> to) {
        if (world.control().batches() == 0) {
            return;
        }
        for (int pages = 1; pages < 1 << PageWorld.PAGES; pages++) {
            for (boolean toLocal : new boolean[]{true, false}) {
                List<Item> items = new ArrayList<>();
                for (int page = 0; page < PageWorld.PAGES; page++) {
                    if ((pages & 1 << page) != 0) {
                        items.add(new Item(page, 0, -1, -1, false));
                    }
                }
                Draft draft = new Draft(world);
                draft.control = draft.control.batch();
                draft.movers[index] = new Mover(At.ENTER, toLocal, List.copyOf(items), 0, false, false, 0, 0, 1);
                to.step(who,
                        "is to move pages " + items.stream().map(Item::page).toList()
                                + (toLocal ? " to local" : " to shared"),
                        draft.world());
            }
        }
    }

    private void step(Draft draft, int index) {
        Mover mover = draft.movers[index];
        boolean through = mover.next() >= mover.items().size();
        Mover next = switch (mover.at()) {
            case IDLE -> mover;
            case ENTER -> {
                // It is counted as entering from here on, then looks at the gate and at its right.
                yield draft.words.closed() || (checksRight() && !mayStore(draft)) ? Mover.IDLE : mover.at(At.PASS);
            }
            case PASS -> {
                if (draft.words.closed()) {
                    yield Mover.IDLE;
                }
                stores(draft, "gate");
                draft.words = draft.words.gate(false, draft.words.inside() + 1);
                yield mover.at(At.LOOK);
            }
            case LOOK -> look(draft, mover);
            case RESERVE -> through
                    ? reserved(mover)
                    : reserve(draft, mover);
            case ADD_LOCAL -> {
                stores(draft, "count of local pages");
                draft.words = draft.words.localPages(draft.words.localPages() + mover.reserved());
                yield mover.at(At.MARK);
            }
            case MARK -> through
                    ? mover.items().isEmpty() ? mover.at(At.ADJUST) : mover.at(mover.toLocal() ? At.RETIRE : At.BEGIN)
                    : mark(draft, mover);
            case RETIRE -> through
                    ? mover.at(mover.items().isEmpty() ? At.ADJUST : At.BEGIN)
                    : retire(draft, mover);
            case BEGIN -> {
                boolean online = draft.vcpu.online();
                draft.vcpu = draft.vcpu.asked(true);
                yield mover.past(!online).at(At.AWAIT);
            }
            case AWAIT -> mover.at(afterShootdown());
            case COPY -> through ? mover.at(afterCopies()) : startCopy(draft, mover);
            case COPYING -> endCopy(draft, mover);
            case PUBLISH -> through ? mover.at(afterPublish()) : publish(draft, mover);
            case GIVE_UP -> through ? mover.at(At.SETTLE) : giveUp(draft, mover);
            case SETTLE -> through ? mover.at(At.ADJUST) : settle(draft, mover);
            case ADJUST -> adjust(draft, mover);
            case LEAVE -> {
                draft.words = draft.words.gate(draft.words.closed(), draft.words.inside() - 1);
                yield Mover.IDLE;
            }
        };
        draft.movers[index] = skip(next);
    }

    /// Goes on to the next phase in the same step when nothing is left to do in this one.
    private Mover skip(Mover mover) {
        Mover at = mover;
        while (isPerPage(at.at()) && at.at() != At.COPYING && at.next() >= at.items().size()) {
            at = switch (at.at()) {
                case RESERVE -> reserved(at);
                case MARK -> at.at(at.items().isEmpty() ? At.ADJUST : at.toLocal() ? At.RETIRE : At.BEGIN);
                case RETIRE -> at.at(at.items().isEmpty() ? At.ADJUST : At.BEGIN);
                case COPY -> at.at(afterCopies());
                case PUBLISH -> at.at(afterPublish());
                case GIVE_UP -> at.at(At.SETTLE);
                default -> at.at(At.ADJUST);
            };
        }
        return at;
    }

    private static Mover reserved(Mover mover) {
        if (mover.items().isEmpty()) {
            return mover.at(At.LEAVE);
        }
        return mover.reserved(mover.items().size()).at(mover.toLocal() ? At.ADD_LOCAL : At.MARK);
    }

    private static boolean mayStore(Draft draft) {
        return draft.control.right() && OwnerWord.is(draft.words.owner(), OwnerState.RUNNING)
                && OwnerWord.slot(draft.words.owner()) == A;
    }

    /// A store to what only the owner may change.
    private static void stores(Draft draft, String what) {
        if (OwnerWord.slot(draft.words.owner()) != A) {
            draft.words = draft.words.wrong("I2: a mover of A stores to the " + what + " of a VM that is "
                    + OwnerWord.describe(draft.words.owner()));
        }
    }

    private static Mover look(Draft draft, Mover mover) {
        List<Item> movable = new ArrayList<>();
        for (Item item : mover.items()) {
            long entry = draft.words.entries().get(item.page());
            Tier to = mover.toLocal() ? Tier.LOCAL : Tier.SHARED;
            if (PageTableEntry.isPresent(entry) && PageTableEntry.tier(entry) != to) {
                movable.add(new Item(item.page(), entry, (int) PageTableEntry.frame(entry), -1, false));
            }
        }
        return mover.items(movable).at(movable.isEmpty() ? At.LEAVE : At.RESERVE);
    }

    private static Mover reserve(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        if (mover.toLocal()) {
            int free = Integer.numberOfTrailingZeros(draft.words.localFree());
            if (free >= PageWorld.LOCAL_FRAMES) {
                return mover.drop();
            }
            draft.words = draft.words.localFree(draft.words.localFree() & ~(1 << free));
            forget(draft, bit(true, free));
            return mover.item(item.target(free)).step();
        }
        int free = draft.words.frames().indexOf(FrameWord.FREE);
        if (free < 0) {
            return mover.drop();
        }
        stores(draft, "frame words");
        draft.words = draft.words.frame(free, FrameWord.reserved(A, VM, item.page()));
        forget(draft, bit(false, free));
        return mover.item(item.target(free)).step();
    }

    private boolean cas(Draft draft, int page, long expect, long next) {
        if (!matches(draft.words.entries().get(page), expect)) {
            return false;
        }
        stores(draft, "entries");
        draft.words = draft.words.entry(page, next);
        return true;
    }

    private static void change(Draft draft, int frame, long expect, long next) {
        stores(draft, "frame words");
        if (draft.words.frames().get(frame) != expect) {
            draft.words = draft.words.wrong("I4: frame " + frame + " is "
                    + FrameWord.describe(draft.words.frames().get(frame)) + ", not " + FrameWord.describe(expect));
        }
        draft.words = draft.words.frame(frame, next);
    }

    private static void giveBackTarget(Draft draft, Mover mover, Item item) {
        if (mover.toLocal()) {
            giveLocal(draft, item.target());
        } else {
            change(draft, item.target(), FrameWord.reserved(A, VM, item.page()), FrameWord.FREE);
        }
    }

    private static void giveLocal(Draft draft, int frame) {
        if ((draft.words.localFree() & 1 << frame) != 0) {
            draft.words = draft.words.wrong("I4: local frame " + frame + " is given back twice");
        }
        draft.words = draft.words.localFree(draft.words.localFree() | 1 << frame);
    }

    private Mover mark(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        long marked = PageTableEntry.with(item.entry(), PteState.MIGRATING);
        if (cas(draft, item.page(), item.entry(), marked)) {
            return mover.item(item.entry(marked)).step();
        }
        giveBackTarget(draft, mover, item);
        return mover.drop();
    }

    private Mover retire(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        if (draft.words.frames().get(item.source()) == FrameWord.used(VM, item.page())) {
            change(draft, item.source(), FrameWord.used(VM, item.page()), FrameWord.reserved(A, VM, item.page()));
            return mover.step();
        }
        cas(draft, item.page(), item.entry(), PageTableEntry.with(item.entry(), PteState.PRESENT));
        giveBackTarget(draft, mover, item);
        return mover.drop();
    }

    static int bit(boolean local, int frame) {
        return 1 << (local ? PageWorld.SHARED_FRAMES + frame : frame);
    }

    /// Nobody can count on what was in that frame.
    private static void forget(Draft draft, int frame) {
        for (int page = 0; page < PageWorld.PAGES; page++) {
            draft.words = draft.words.newest(page, draft.words.newest().get(page) & ~frame);
        }
    }

    /// The target's old contents are gone, whosever they were.
    private static Mover startCopy(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        forget(draft, bit(mover.toLocal(), item.target()));
        stores(draft, "frames");
        Mover copying = mover.torn(false);
        return copying.within(At.COPYING, copying.next());
    }

    private static Mover endCopy(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        int newest = draft.words.newest().get(item.page());
        boolean whole = (newest & bit(!mover.toLocal(), item.source())) != 0 && !mover.torn();
        if (whole) {
            draft.words = draft.words.newest(item.page(), newest | bit(mover.toLocal(), item.target()));
        }
        return mover.item(item.copied(true)).torn(false).within(At.COPY, mover.next() + 1);
    }

    private Mover publish(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        Tier to = mover.toLocal() ? Tier.LOCAL : Tier.SHARED;
        long moved = PageTableEntry.moved(item.entry(), to, item.target());
        boolean won = cas(draft, item.page(), item.entry(), moved);
        Mover tried = mover.item(item.copied(won)).step();
        // A vCPU took it back: the page is undecided again.
        return item.copied() && !won ? tried.again(tried.again() | 1 << item.page()) : tried;
    }

    private Mover giveUp(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        if (!item.copied()) {
            cas(draft, item.page(), item.entry(), PageTableEntry.with(item.entry(), PteState.PRESENT));
        }
        return mover.step();
    }

    private static Mover settle(Draft draft, Mover mover) {
        Item item = mover.items().get(mover.next());
        long reserved = FrameWord.reserved(A, VM, item.page());
        long used = FrameWord.used(VM, item.page());
        if (!item.copied()) {
            giveBackTarget(draft, mover, item);
            if (mover.toLocal()) {
                change(draft, item.source(), reserved, used);
            }
        } else if (mover.toLocal()) {
            change(draft, item.source(), reserved, FrameWord.FREE);
        } else {
            change(draft, item.target(), reserved, used);
            giveLocal(draft, item.source());
        }
        return mover.step();
    }

    private Mover adjust(Draft draft, Mover mover) {
        int moved = (int) mover.items().stream().filter(Item::copied).count();
        int change = mover.toLocal() ? moved - mover.reserved() : -moved;
        if (change != 0) {
            stores(draft, "count of local pages");
            draft.words = draft.words.localPages(draft.words.localPages() + change);
        }
        boolean goesOn = mover.again() != 0 && mover.round() < rounds && (!checksRight() || mayStore(draft));
        return goesOn ? mover.nextRound() : mover.at(At.LEAVE);
    }

    static boolean isReservedBy(long word, int slot) {
        return FrameWord.state(word) == FrameState.RESERVED && FrameWord.slot(word) == slot;
    }
}
