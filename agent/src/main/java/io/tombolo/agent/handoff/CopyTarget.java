package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.pages.PagesError;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.AgentRequest.CopyPages;
import io.tombolo.coordinator.wire.AgentRequest.CopyRun;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.RegionError;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The target of a copy: local frames for every page of the VM, which nobody else knows of until this host owns the
/// VM, and what has arrived in them.
///
///     OPEN -sealed-> SEALED -claimed-> INSTALLING -> INSTALLED
///       |              |  ^                |
///       +----> CLOSED <+  +---- undone ----+
///
/// Pages are stored by any thread, several at a time; sealing and closing wait for them, so no page is stored once the
/// frames are another's. [#install] is for the thread that has claimed the VM.
final class CopyTarget {
    private static final Logger LOG = LoggerFactory.getLogger(CopyTarget.class);
    private static final int UNIT = PageSender.UNIT_BYTES;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[UNIT]).asReadOnly();
    private static final int PAGES_BETWEEN_CHECKS = 512;
    private static final long RIGHT_LOOK_NS = 1_000_000;

    private enum State {
        OPEN, SEALED, INSTALLING, INSTALLED, CLOSED
    }

    private final PageLink link;
    private final PageTable table;
    private final PageSize size;
    private final long intentSeq;
    private final long epoch;
    private final long[] frames;
    /// Per unit, 1 when its contents are there.
    private final byte[] arrived;
    /// Entries as they were before [#install], for undoing.
    private final long[] former;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private State state = State.OPEN;
    private volatile boolean alive;

    private CopyTarget(PageLink link, PageTable table, long intentSeq, long epoch, long[] frames) {
        this.link = link;
        this.table = table;
        this.size = table.pageSize();
        this.intentSeq = intentSeq;
        this.epoch = epoch;
        this.frames = frames;
        this.arrived = new byte[Math.multiplyExact(frames.length, size.frames())];
        this.former = new long[frames.length];
    }

    /// Takes frames for all pages of the VM, or none.
    ///
    /// @param epoch epoch at which the source runs
    /// @throws TomboloException PAGES_ENODEV, LOCAL_TIER_FULL
    static CopyTarget take(PageLink link, PageTable table, long intentSeq, long epoch) {
        requireNonNull(table, "table is null");
        if (link.local() == null) {
            throw TomboloException.error(PagesError.PAGES_ENODEV, "this host has no local tier")
                    .fact("vmSlot", table.vm()).next("'tombolo tier list' shows the tiers of every host").build();
        }
        long[] frames = new long[Math.toIntExact(table.pages())];
        int got = link.local().take(table.pageSize(), frames.length, frames);
        if (got < frames.length) {
            link.local().give(table.pageSize(), frames, got);
            throw TomboloException.error(RegionError.LOCAL_TIER_FULL, "this host's own memory has no room for the VM")
                    .fact("vmSlot", table.vm()).fact("neededPages", frames.length).fact("freePages", got)
                    .fact("pageBytes", table.pageSize().bytes())
                    .next("make room ('tombolo tier list'), or choose another host").build();
        }
        return new CopyTarget(link, table, intentSeq, epoch, frames);
    }

    /// Stores pages that the source sent. Any thread.
    ///
    /// @throws TomboloException TARGET_REFUSED, with nothing stored
    void store(CopyPages copy) {
        lock.readLock().lock();
        try {
            require(copy.intentSeq(), copy.epoch(), State.OPEN);
            check(copy);
            MemorySegment bytes = copy.bytes().segment();
            long at = 0;
            for (CopyRun run : copy.runs()) {
                for (long unit = run.first(); unit < run.first() + run.count(); unit++) {
                    long to = frames[(int) (unit / size.frames())] * UNIT + unit % size.frames() * UNIT;
                    link.copier().store(run.zero() ? ZEROS : bytes, run.zero() ? 0 : at, link.local().data(), to, UNIT);
                    at += run.zero() ? 0 : UNIT;
                    arrived[(int) unit] = 1;
                }
            }
            alive = true;
        } finally {
            lock.readLock().unlock();
        }
    }

    private void check(CopyPages copy) {
        long bytes = 0;
        for (CopyRun run : copy.runs()) {
            // The sum cannot overflow: both are below the number of units.
            if (run.first() < 0 || run.count() <= 0 || run.first() >= arrived.length
                    || run.count() > arrived.length - run.first()) {
                throw refused("pages beyond the VM's memory: " + run);
            }
            bytes += run.zero() ? 0 : (long) run.count() * UNIT;
        }
        if (bytes != copy.bytes().length()) {
            throw refused("the runs need " + bytes + " bytes, there are " + copy.bytes().length());
        }
    }

    /// The guest stands still and the source has sent everything: no more is taken.
    ///
    /// @throws TomboloException TARGET_REFUSED if a local page of the VM is not here
    void seal(long ofIntent, long ofEpoch) {
        lock.writeLock().lock();
        try {
            require(ofIntent, ofEpoch, State.OPEN);
            for (int page = 0; page < frames.length; page++) {
                long entry = table.entryAcquire(page);
                if (isLocal(entry) && (!PageTableEntry.isPresent(entry) || !isWhole(page))) {
                    throw refused("page " + page + " has not arrived: " + PageTableEntry.describe(entry));
                }
            }
            state = State.SEALED;
            alive = true;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private static boolean isLocal(long entry) {
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.LOCAL;
    }

    private boolean isWhole(int page) {
        for (int unit = page * size.frames(); unit < (page + 1) * size.frames(); unit++) {
            if (arrived[unit] == 0) {
                return false;
            }
        }
        return true;
    }

    private void require(long ofIntent, long ofEpoch, State expected) {
        if (ofIntent != intentSeq || ofEpoch != epoch || state != expected) {
            throw refused(
                    "prepared for intent " + intentSeq + " at epoch " + epoch + ", " + state + "; asked for intent "
                            + ofIntent + " at epoch " + ofEpoch);
        }
    }

    private TomboloException refused(String reason) {
        return TomboloException.error(HandoffError.TARGET_REFUSED, "the target does not take these pages")
                .fact("vmSlot", table.vm()).fact("reason", reason).next("see both agents' logs").build();
    }

    /// Whether every local page of the VM, as it was when it left that epoch, is here.
    boolean isSealed() {
        lock.readLock().lock();
        try {
            return state == State.SEALED;
        } finally {
            lock.readLock().unlock();
        }
    }

    /// Whether the source was heard of since the last time this was asked.
    boolean takeAlive() {
        boolean heard = alive;
        alive = false;
        return heard;
    }

    /// Puts this host's frames into the LOCAL entries of the VM, persisted. The VM is CLAIMED by this host; how many
    /// entries say LOCAL does not change, so a death in the middle leaves nothing but pages that are lost with the
    /// host, as with any local page.
    ///
    /// A right that lapses meanwhile makes it wait, storing nothing, until it is back.
    ///
    /// @param checker of this thread
    /// @throws TomboloException TARGET_REFUSED; if [#isSealed] then, all entries are as they were
    void install(CheckBoard.Checker checker) {
        enter(State.SEALED, State.INSTALLING);
        int page = 0;
        try {
            awaitRight(checker);
            for (; page < frames.length; page++) {
                if (page % PAGES_BETWEEN_CHECKS == 0 && !checker.check()) {
                    awaitRight(checker);
                }
                replace(page);
            }
            // Nobody would miss it: who finds the source's frames here after a death of this host finds LOCAL, and
            // those pages are gone with it. Kept because nothing about a VM that runs should hang on a cache.
            table.persist(0, frames.length);
            checker.stopped();
        } catch (RuntimeException | Error e) {
            // Without the right nothing is stored, not even this: then the VM stays claimed, and says so.
            if (checker.check()) {
                undo(page);
                enter(State.INSTALLING, State.SEALED);
            }
            checker.stopped();
            throw e;
        }
        enter(State.INSTALLING, State.INSTALLED);
    }

    private void replace(int page) {
        long entry = table.entryAcquire(page);
        former[page] = entry;
        if (isLocal(entry) && (!PageTableEntry.isPresent(entry)
                || !table.compareAndSet(page, entry, PageTableEntry.moved(entry, Tier.LOCAL, frames[page])))) {
            throw refused("page " + page + " is in use: " + PageTableEntry.describe(entry));
        }
    }

    private void undo(int pages) {
        for (int page = 0; page < pages; page++) {
            if (isLocal(former[page])) {
                long now = table.entryAcquire(page);
                if (!table.compareAndSet(page, now,
                        PageTableEntry.moved(now, Tier.LOCAL, PageTableEntry.frame(former[page])))) {
                    throw new IllegalStateException("vm slot " + table.vm() + " page " + page + ": changed by another");
                }
            }
        }
        table.persist(0, frames.length);
    }

    private void awaitRight(CheckBoard.Checker checker) {
        checker.stopped();
        while (!checker.start()) {
            if (Thread.currentThread().isInterrupted()) {
                throw refused("the guest was discarded while this host had no right to store");
            }
            LockSupport.parkNanos(this, RIGHT_LOOK_NS);
        }
    }

    private void enter(State expected, State next) {
        lock.writeLock().lock();
        try {
            if (state != expected) {
                throw refused("is " + state + ", not " + expected);
            }
            state = next;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// The VM runs here: the frames are its own, those of pages that are shared go back.
    void adopted() {
        long[] unused = new long[frames.length];
        int count = 0;
        lock.writeLock().lock();
        try {
            boolean installed = state == State.INSTALLED;
            for (int page = 0; page < frames.length; page++) {
                if (!installed || !isLocal(former[page])) {
                    unused[count++] = frames[page];
                }
            }
            state = State.CLOSED;
        } finally {
            lock.writeLock().unlock();
        }
        link.local().give(size, unused, count);
    }

    /// The VM does not come: gives all frames back, unless the entries may name them. Idempotent.
    void close() {
        lock.writeLock().lock();
        try {
            switch (state) {
                case OPEN, SEALED -> {
                    state = State.CLOSED;
                    link.local().give(size, frames, frames.length);
                }
                case INSTALLING, INSTALLED -> LOG.warn(
                        "vm slot {}: {} local frames stay taken: the VM's entries may name them", table.vm(),
                        frames.length);
                case CLOSED -> {
                }
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
