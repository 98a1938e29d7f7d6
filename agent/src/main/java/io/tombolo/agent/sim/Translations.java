package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.GuestMemory.PAGE_BYTES;
import static io.tombolo.agent.sim.GuestMemory.PAGE_SHIFT;

import java.util.Arrays;

/// Where the guest memory that a vCPU has touched is on this host: a direct-mapped translation buffer, as a processor's
/// TLB, in units of 4 KiB whatever the page size, so that the hot path needs constants and not fields.
///
/// To forget all of it takes the same time however much there is: every translation carries the era in which it was
/// found, [#forget] begins the next one, and clears a part of the buffer, so that the whole of it has been cleared
/// before an era comes again.
///
/// For one thread.
final class Translations {
    /// Two longs each: the address of the first byte of 4 KiB of guest memory and the era, and what to add to an
    /// address in guest memory to get to the host's. The place is the low bits of the number of these 4 KiB.
    private static final int LONGS = 2;
    private static final int PLACE_SHIFT = PAGE_SHIFT - 1;
    private static final long OTHER_PAGE = -PAGE_BYTES | (Long.BYTES - 1);
    /// The bits between those that say the page and those that are 0 in an aligned address.
    private static final long ERA = ~OTHER_PAGE;
    private static final int ERAS = PAGE_BYTES / Long.BYTES;
    /// They reach over 256 MiB, and fit what a core has of the shared cache.
    private static final int MOST = 1 << 16;

    private final long[] words;
    private final int cleared;
    private long era;
    private int next;

    /// Empty.
    ///
    /// @param pages of 4 KiB, of the guest memory
    Translations(long pages) {
        // Two places at least, so that each has pages which are never there.
        this.words = new long[LONGS * Math.clamp(Long.highestOneBit(pages * 2 - 1), 2, MOST)];
        this.cleared = Math.max(LONGS, words.length / ERAS);
        Arrays.fill(words, nothing(1));
        words[0] = nothing(0);
    }

    /// Whether it knows the page of that address. One compare for the page, for the era, for the alignment to 8 bytes
    /// and for the end of guest memory, beyond which nothing was ever added.
    boolean has(long gpa) {
        return words[place(gpa) & (words.length - 1)] == ((gpa & OTHER_PAGE) | era);
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
        words[place] = (gpa & -PAGE_BYTES) | era;
        words[place | 1] = there;
        return there;
    }

    void forget() {
        era = (era + Long.BYTES) & ERA;
        for (int place = next; place < next + cleared; place += LONGS) {
            words[place] = nothing(place);
        }
        next = (next + cleared) & (words.length - 1);
    }

    /// A page that belongs to another place: the first page, and in its place the second.
    private static long nothing(int place) {
        return place == 0 ? PAGE_BYTES : 0;
    }
}
