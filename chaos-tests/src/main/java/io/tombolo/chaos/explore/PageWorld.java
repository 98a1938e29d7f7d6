package io.tombolo.chaos.explore;

import io.tombolo.region.FrameWord;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import java.util.ArrayList;
import java.util.List;

/// One VM of two pages whose pages move between the region and its owner's own memory, as one value.
record PageWorld(Words words, Mover first, Mover second, Vcpu vcpu, Control control) {
    static final int PAGES = 2;
    static final int SHARED_FRAMES = 3;
    static final int LOCAL_FRAMES = 2;
    /// Host slots: the owner at the beginning, whom it may hand over to, and who recovers.
    static final int A = 1;
    static final int B = 2;

    Mover mover(int index) {
        return index == 0 ? first : second;
    }

    /// The region's words, the owner's own frames, and what is in the frames.
    ///
    /// @param frames words of the region's frames
    /// @param localFree frames of the owner's own that are free, a bit each
    /// @param newest per page: the frames that hold its newest contents, a bit each, the region's first; nobody stores
    ///            it
    /// @param wrong what was done that must not be, null as long as nothing was
    record Words(long owner, boolean closed, int inside, int localPages, List<Long> entries, List<Long> frames,
            int localFree, List<Integer> newest, String wrong) {
        Words owner(long word) {
            return new Words(word, closed, inside, localPages, entries, frames, localFree, newest, wrong);
        }

        Words gate(boolean nowClosed, int nowInside) {
            return new Words(owner, nowClosed, nowInside, localPages, entries, frames, localFree, newest, wrong);
        }

        Words localPages(int count) {
            return new Words(owner, closed, inside, count, entries, frames, localFree, newest, wrong);
        }

        Words entry(int page, long entry) {
            return new Words(owner, closed, inside, localPages, set(entries, page, entry), frames, localFree, newest,
                    wrong);
        }

        Words frame(int frame, long word) {
            return new Words(owner, closed, inside, localPages, entries, set(frames, frame, word), localFree, newest,
                    wrong);
        }

        Words localFree(int mask) {
            return new Words(owner, closed, inside, localPages, entries, frames, mask, newest, wrong);
        }

        Words newest(int page, int mask) {
            return new Words(owner, closed, inside, localPages, entries, frames, localFree, set(newest, page, mask),
                    wrong);
        }

        Words wrong(String what) {
            return wrong != null
                    ? this
                    : new Words(owner, closed, inside, localPages, entries, frames, localFree, newest, what);
        }

        private static <T> List<T> set(List<T> list, int index, T value) {
            List<T> next = new ArrayList<>(list);
            next.set(index, value);
            return List.copyOf(next);
        }

        @Override
        public String toString() {
            return OwnerWord.describe(owner) + (closed ? " closed " : " open ") + inside + " local=" + localPages
                    + " entries=" + entries.stream().map(PageTableEntry::describe).toList() + " frames="
                    + frames.stream().map(FrameWord::describe).toList() + " newest=" + newest;
        }
    }

    /// Where a mover is, in the order of `PageMover.move`.
    enum At {
        IDLE, ENTER, PASS, LOOK, RESERVE, ADD_LOCAL, MARK, RETIRE, BEGIN, AWAIT, COPY, //
        COPYING, PUBLISH, GIVE_UP, SETTLE, ADJUST, LEAVE
    }

    /// One mover of the owner, a thread.
    ///
    /// @param toLocal whether it moves pages to the owner's own memory
    /// @param items the pages of its batch
    /// @param next the one that is next in this phase
    /// @param past whether every vCPU has left what it read before the shoot-down
    /// @param torn whether the page was written while it was copied
    /// @param reserved how many pages got a frame
    /// @param again pages that the vCPU took back in this round, a bit each
    /// @param round how often the batch has been tried, this time included
    record Mover(At at, boolean toLocal, List<Item> items, int next, boolean past, boolean torn, int reserved,
            int again, int round) {
        static final Mover IDLE = new Mover(At.IDLE, false, List.of(), 0, false, false, 0, 0, 0);

        Mover within(At phase, int position) {
            return new Mover(phase, toLocal, items, position, past, torn, reserved, again, round);
        }

        Mover at(At phase) {
            return within(phase, 0);
        }

        Mover step() {
            return within(at, next + 1);
        }

        Mover items(List<Item> more) {
            return new Mover(at, toLocal, List.copyOf(more), next, past, torn, reserved, again, round);
        }

        /// The present one, changed.
        Mover item(Item item) {
            List<Item> changed = new ArrayList<>(items);
            changed.set(next, item);
            return items(changed);
        }

        /// Without the present one.
        Mover drop() {
            List<Item> fewer = new ArrayList<>(items);
            fewer.remove(next);
            return items(fewer);
        }

        Mover past(boolean now) {
            return new Mover(at, toLocal, items, next, now, torn, reserved, again, round);
        }

        Mover torn(boolean now) {
            return new Mover(at, toLocal, items, next, past, now, reserved, again, round);
        }

        Mover reserved(int count) {
            return new Mover(at, toLocal, items, next, past, torn, count, again, round);
        }

        Mover again(int pages) {
            return new Mover(at, toLocal, items, next, past, torn, reserved, pages, round);
        }

        /// Looks again at the pages that are undecided.
        Mover nextRound() {
            List<Item> undecided = items.stream().filter(item -> (again & 1 << item.page()) != 0)
                    .map(item -> new Item(item.page(), 0, -1, -1, false)).toList();
            return new Mover(At.LOOK, toLocal, undecided, 0, false, false, 0, 0, round + 1);
        }
    }

    /// One page of a batch.
    ///
    /// @param entry as the mover knows it
    /// @param source, target frames of their tiers, -1 for none yet
    record Item(int page, long entry, int source, int target, boolean copied) {
        Item entry(long now) {
            return new Item(page, now, source, target, copied);
        }

        Item target(int now) {
            return new Item(page, entry, source, now, copied);
        }

        Item copied(boolean now) {
            return new Item(page, entry, source, target, now);
        }
    }

    /// The vCPU.
    ///
    /// @param online it may use translations
    /// @param known0 the translation of page 0 that it keeps; 0 for none
    /// @param known1 the same of page 1
    /// @param asked a shoot-down has begun since it looked last
    /// @param waits page that it waits for, -1 for none
    record Vcpu(boolean online, long known0, long known1, boolean asked, int waits) {
        long known(int page) {
            return page == 0 ? known0 : known1;
        }

        Vcpu knows(int page, long entry) {
            return page == 0
                    ? new Vcpu(online, entry, known1, asked, waits)
                    : new Vcpu(online, known0, entry, asked, waits);
        }

        static Vcpu online(boolean online) {
            return new Vcpu(online, 0, 0, false, -1);
        }

        static Vcpu waiting(int page) {
            return new Vcpu(false, 0, 0, false, page);
        }

        Vcpu asked(boolean now) {
            return new Vcpu(online, known0, known1, now && online, waits);
        }
    }

    /// What a host that recovers has done.
    enum Recovery {
        NONE, FRAMES, ENTRIES, LOST
    }

    /// Hosts, and what is left to happen.
    ///
    /// @param alive whether the first owner's process lives
    /// @param right whether the present owner has its right
    /// @param handOff 0 none yet, 1 the gate was closed for it, 2 over
    /// @param recovery what a host that recovers is at
    /// @param batches that movers may still begin
    record Control(boolean alive, boolean right, int handOff, Recovery recovery, int batches, int faults) {
        Control right(boolean now) {
            return new Control(alive, now, handOff, recovery, batches, faults);
        }

        Control handOff(int now) {
            return new Control(alive, right, now, recovery, batches, faults);
        }

        Control recovers(Recovery now) {
            return new Control(alive, right, handOff, now, batches, faults);
        }

        Control batch() {
            return new Control(alive, right, handOff, recovery, batches - 1, faults);
        }

        Control fault() {
            return new Control(alive, right, handOff, recovery, batches, faults - 1);
        }

        Control dead() {
            return new Control(false, false, handOff, recovery, batches, faults);
        }
    }
}
