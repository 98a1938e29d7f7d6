package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.PageWorld.At;
import io.tombolo.chaos.explore.PageWorld.Item;
import io.tombolo.chaos.explore.PageWorld.Mover;
import io.tombolo.chaos.explore.PageWorld.Vcpu;
import io.tombolo.chaos.explore.PageWorld.Words;
import io.tombolo.region.FrameWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Tier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// Worlds of page moves that go on alike, as one of them.
///
/// - What nobody reads any more is cleared: the contents of free frames that no mover or vCPU still has in mind, and
///   what a mover knew in an earlier phase.
/// - Tags are only compared for equality, and the next one is larger than all: they become their ranks among the tags
///   of the same page that anybody still remembers.
/// - The two movers run the same code: they come in a fixed order.
final class PageSymmetry {
    private static final Comparator<Mover> ORDER = Comparator.comparing((Mover mover) -> mover.at())
            .thenComparing(mover -> mover.toLocal()).thenComparingInt(mover -> mover.next())
            .thenComparingInt(mover -> mover.items().hashCode()).thenComparingInt(mover -> mover.hashCode());

    private PageSymmetry() {
    }

    static PageWorld canonical(PageWorld world) {
        Mover first = forget(world.first());
        Mover second = forget(world.second());
        Vcpu vcpu = world.vcpu();
        Words words = clearFree(world.words(), inMind(first) | inMind(second) | inMind(vcpu));
        for (int page = 0; page < PageWorld.PAGES; page++) {
            long tags = tags(first, page) | tags(second, page) | tag(words.entries().get(page))
                    | tag(vcpu.known(page));
            // Not one beside the other from zero.
            if ((tags & tags + 1) != 0) {
                words = words.entry(page, renamed(words.entries().get(page), tags));
                vcpu = vcpu.known(page) == 0 ? vcpu : vcpu.knows(page, renamed(vcpu.known(page), tags));
                first = renamed(first, page, tags);
                second = renamed(second, page, tags);
            }
        }
        boolean swap = ORDER.compare(first, second) > 0;
        return new PageWorld(words, swap ? second : first, swap ? first : second, vcpu, world.control());
    }

    /// The tag of an entry, if it is one, as a bit: here no page is moved as often as there are bits.
    private static long tag(long entry) {
        return entry == 0 ? 0 : 1L << Objects.checkIndex(PageTableEntry.tag(entry), Long.SIZE - 1);
    }

    private static long tags(Mover mover, int page) {
        long tags = 0;
        for (Item item : mover.items()) {
            tags |= item.page() == page ? tag(item.entry()) : 0;
        }
        return tags;
    }

    private static long renamed(long entry, long tags) {
        int rank = Long.bitCount(tags & tag(entry) - 1);
        return PageTableEntry.pack(PageTableEntry.state(entry), PageTableEntry.tier(entry),
                PageTableEntry.frame(entry), rank, PageTableEntry.flags(entry));
    }

    private static Mover renamed(Mover mover, int page, long tags) {
        List<Item> items = new ArrayList<>(mover.items());
        items.replaceAll(item -> item.page() == page && item.entry() != 0
                ? item.entry(renamed(item.entry(), tags))
                : item);
        return mover.items(items);
    }

    private static Mover forget(Mover mover) {
        if (mover.at() == At.IDLE) {
            return Mover.IDLE;
        }
        if (mover.at() == At.LEAVE) {
            return new Mover(At.LEAVE, false, List.of(), 0, false, false, 0, 0, 0);
        }
        Mover known = mover.past(mover.at() == At.AWAIT && mover.past());
        if (mover.at() != At.SETTLE && mover.at() != At.ADJUST) {
            return known;
        }
        List<Item> items = new ArrayList<>(known.items());
        items.replaceAll(item -> item.entry(0));
        return known.items(items);
    }

    private static int inMind(Mover mover) {
        int frames = 0;
        for (Item item : mover.items()) {
            frames |= item.source() < 0 ? 0 : MoverSteps.bit(!mover.toLocal(), item.source());
            frames |= item.target() < 0 ? 0 : MoverSteps.bit(mover.toLocal(), item.target());
        }
        return frames;
    }

    private static int inMind(Vcpu vcpu) {
        int frames = 0;
        for (int page = 0; page < PageWorld.PAGES; page++) {
            long entry = vcpu.known(page);
            frames |= entry == 0
                    ? 0
                    : MoverSteps.bit(PageTableEntry.tier(entry) == Tier.LOCAL, (int) PageTableEntry.frame(entry));
        }
        return frames;
    }

    private static Words clearFree(Words words, int inMind) {
        int free = words.localFree() << PageWorld.SHARED_FRAMES;
        for (int frame = 0; frame < PageWorld.SHARED_FRAMES; frame++) {
            free |= words.frames().get(frame) == FrameWord.FREE ? 1 << frame : 0;
        }
        Words cleared = words;
        for (int page = 0; page < PageWorld.PAGES; page++) {
            int newest = words.newest().get(page);
            int kept = newest & ~(free & ~inMind);
            cleared = newest == kept ? cleared : cleared.newest(page, kept);
        }
        return cleared;
    }
}
