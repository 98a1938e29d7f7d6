package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.GuestMemory.PAGE_BYTES;
import static io.tombolo.agent.sim.GuestMemory.PAGE_SHIFT;

import java.util.Arrays;

/// Where the guest memory that a vCPU has touched is on this host: a direct-mapped translation buffer, as a processor's
/// TLB, in units of 4 KiB whatever the page size, so that the hot path needs constants and not fields.
///
/// For one thread.
final class Translations {
    /// Two longs each: the address of the first byte of 4 KiB of guest memory, and what to add to an address in guest
    /// memory to get to the host's. The place is the low bits of the number of these 4 KiB.
    private static final int LONGS = 2;
    private static final int PLACE_SHIFT = PAGE_SHIFT - 1;
    private static final long OTHER_PAGE = -PAGE_BYTES | (Long.BYTES - 1);
    /// They reach over 256 MiB, and fit what a core has of the shared cache.
    private static final int MOST = 1 << 16;
    /// A mover makes a vCPU forget after every batch, some ten microseconds: few places are in use by then.
    private static final int FEW = 1 << 12;

    private final long[] words;
    private final int[] used = new int[FEW];
    private int count;

    /// Empty.
    ///
    /// @param pages of 4 KiB, of the guest memory
    Translations(long pages) {
        // Two places at least, so that each has pages which are never there.
        this.words = new long[LONGS * Math.clamp(Long.highestOneBit(pages * 2 - 1), 2, MOST)];
        clear();
    }

    /// Whether it knows the page of that address. One compare for the page, for the alignment to 8 bytes and for the
    /// end of guest memory, beyond which nothing was ever added.
    boolean has(long gpa) {
        return ((words[place(gpa) & (words.length - 1)] ^ gpa) & OTHER_PAGE) == 0;
    }

    /// What to add to the address to get to the host's, if [#has].
    long there(long gpa) {
        return words[(place(gpa) | 1) & (words.length - 1)];
    }

    private static int place(long gpa) {
        return (int) (gpa >>> PLACE_SHIFT) & -LONGS;
    }

    /// Enters a translation; returns `there`.
    long add(long gpa, long there) {
        int place = place(gpa) & (words.length - 1);
        words[place] = gpa & -PAGE_BYTES;
        words[place | 1] = there;
        if (count < FEW) {
            used[count++] = place;
        } else {
            count = FEW + 1;
        }
        return there;
    }

    void forget() {
        if (count > FEW) {
            clear();
            return;
        }
        for (int i = 0; i < count; i++) {
            words[used[i]] = nothing(used[i]);
        }
        count = 0;
    }

    private void clear() {
        Arrays.fill(words, nothing(1));
        words[0] = nothing(0);
        count = 0;
    }

    /// A page that belongs to another place: the first page, and in its place the second.
    private static long nothing(int place) {
        return place == 0 ? PAGE_BYTES : 0;
    }
}
