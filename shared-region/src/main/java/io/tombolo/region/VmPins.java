package io.tombolo.region;

import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/// Ranges of pages that an operator has pinned: a pinned page is not moved to another tier. They stay with the VM
/// across a hand-off, until they are unpinned or the VM is destroyed.
///
/// Only the owner host calls this, and one of its threads at a time changes pins; reading meanwhile is safe.
///
/// [#RANGES_MAX] places of two words: range {first page 32 bits (63..32), pages 32 (31..0)} and pin {check 32 (63..32),
/// count 32 (31..0)}. A place is in use if its pin word is not zero; check is the CRC-32C of the range word and the
/// count. A place is inside one line. The word `pins` is the number of places in use, or more after a death.
///
/// Order of a new range: `pins` + 1, persisted; the range word; the pin word, persisted (the line never has the second
/// without the first). Of the last unpin: the pin word, persisted; the range word and `pins` - 1, which may be lost.
public final class VmPins {
    public static final int RANGES_MAX = 32;
    static final int PLACE_BYTES = 16;

    private final Region region;
    private final Memory memory;
    private final VmSlot vm;
    private final long used;
    private final long places;

    VmPins(Region region, VmSlot vm) {
        this.region = region;
        this.memory = region.memory();
        this.vm = vm;
        this.used = vm.base() + RegionLayout.VM_SLOT.offset("pins");
        this.places = vm.base() + RegionLayout.VM_SLOT.offset("pin_ranges");
    }

    /// False if no page is pinned: one load.
    public boolean any() {
        return memory.loadAcquire(used) != 0;
    }

    /// True if a range with this page is pinned. No allocation.
    public boolean isPinned(long page) {
        if (!any()) {
            return false;
        }
        for (int i = 0; i < RANGES_MAX; i++) {
            if (memory.loadAcquire(pinAt(i)) != 0) {
                long range = memory.loadAcquire(rangeAt(i));
                if (page >= first(range) && page < first(range) + pages(range)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Pins a range once more; the same range can be pinned many times, ranges may overlap. PIN_RANGE_INVALID if it is
    /// empty or not inside the VM, PINS_FULL if all places are taken.
    public void pin(long first, long count) {
        requireInside(first, count);
        long range = first << 32 | count;
        int place = find(range);
        if (place >= 0) {
            int pins = Math.addExact((int) memory.loadAcquire(pinAt(place)), 1);
            memory.storeRelease(pinAt(place), pinWord(range, pins));
            memory.persist(pinAt(place), 8);
            return;
        }
        place = freePlace();
        if (place < 0) {
            throw TomboloException.error(RegionError.PINS_FULL, "the VM has no place for another pinned range")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("ranges", RANGES_MAX)
                    .next("unpin a range, or pin one range that covers several").build();
        }
        memory.storeRelease(used, memory.loadAcquire(used) + 1);
        memory.persist(used, 8);
        memory.storeRelease(rangeAt(place), range);
        memory.storeRelease(pinAt(place), pinWord(range, 1));
        memory.persist(pinAt(place), 8);
    }

    /// Takes one pin of exactly this range away. PIN_UNKNOWN if the range is not pinned.
    public void unpin(long first, long count) {
        requireInside(first, count);
        long range = first << 32 | count;
        int place = find(range);
        if (place < 0) {
            throw TomboloException.error(RegionError.PIN_UNKNOWN, "this range is not pinned")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("first", first).fact("count", count)
                    .fact("pinned", list()).next("name a range as it was pinned").build();
        }
        int pins = (int) memory.loadAcquire(pinAt(place)) - 1;
        memory.storeRelease(pinAt(place), pins == 0 ? 0 : pinWord(range, pins));
        memory.persist(pinAt(place), 8);
        if (pins == 0) {
            memory.storeRelease(rangeAt(place), 0);
            memory.storeRelease(used, memory.loadAcquire(used) - 1);
        }
    }

    /// What is pinned, by place.
    public List<PinRange> list() {
        List<PinRange> ranges = new ArrayList<>();
        for (int i = 0; i < RANGES_MAX; i++) {
            long pin = memory.loadAcquire(pinAt(i));
            if (pin != 0) {
                long range = memory.loadAcquire(rangeAt(i));
                ranges.add(new PinRange(first(range), pages(range), (int) pin));
            }
        }
        return List.copyOf(ranges);
    }

    /// Puts right what a death left: ranges without a pin, and the number of places in use. By the owner in RECOVERING.
    void recover() {
        int inUse = 0;
        for (int i = 0; i < RANGES_MAX; i++) {
            if (memory.loadAcquire(pinAt(i)) != 0) {
                inUse++;
            } else if (memory.loadAcquire(rangeAt(i)) != 0) {
                memory.storeRelease(rangeAt(i), 0);
            }
        }
        if (memory.loadAcquire(used) != inUse) {
            memory.storeRelease(used, inUse);
        }
    }

    long usedAcquire() {
        return memory.loadAcquire(used);
    }

    long rangeAt(int place) {
        return places + (long) place * PLACE_BYTES;
    }

    long pinAt(int place) {
        return rangeAt(place) + 8;
    }

    static long first(long range) {
        return range >>> 32;
    }

    static long pages(long range) {
        return range & 0xFFFF_FFFFL;
    }

    /// The pin word of a range that is pinned `pins` times.
    static long pinWord(long range, int pins) {
        CRC32C crc = new CRC32C();
        for (int shift = 0; shift < 64; shift += 8) {
            crc.update((int) (range >>> shift) & 0xFF);
        }
        for (int shift = 0; shift < 32; shift += 8) {
            crc.update(pins >>> shift & 0xFF);
        }
        return crc.getValue() << 32 | pins;
    }

    private int find(long range) {
        for (int i = 0; i < RANGES_MAX; i++) {
            if (memory.loadAcquire(pinAt(i)) != 0 && memory.loadAcquire(rangeAt(i)) == range) {
                return i;
            }
        }
        return -1;
    }

    private int freePlace() {
        for (int i = 0; i < RANGES_MAX; i++) {
            if (memory.loadAcquire(pinAt(i)) == 0) {
                return i;
            }
        }
        return -1;
    }

    private void requireInside(long first, long count) {
        long pages = vm.readIdentity().pages();
        // 2^32 pages in one range do not fit the word; no VM has memory for more than that.
        if (first < 0 || count < 1 || count > 0xFFFF_FFFFL || first > pages - count) {
            throw TomboloException.error(RegionError.PIN_RANGE_INVALID, "the range is not inside the VM")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("first", first).fact("count", count)
                    .fact("pages", pages).next("name pages that the VM has").build();
        }
    }
}
