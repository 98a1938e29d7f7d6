package io.tombolo.agent.pages;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// Pages and tiers of one host, with the meaning of move_pages(2): what the RPC server and the coordinator's transit
/// use. Thread safe; calls block, so never on an event loop.
///
/// The call as a whole fails with a code that begins like the errno: PAGES_ENODEV (no such tier on this host),
/// PAGES_EPERM (this host does not own the VM, or its right has lapsed), PAGES_ESRCH (no such VM here), PAGES_E2BIG.
public interface PageService {
    /// In place of a tier's code: tell where the pages are, move none.
    int QUERY = -1;
    /// Most pages of one call: their statuses fit a reply.
    int MAX_CALL_PAGES = 65_536;

    /// Moves, or with [#QUERY] only looks at, up to `count` consecutive pages. Ends early, after a whole batch, when
    /// `budgetNs` has passed or the thread was interrupted; at least one batch is done.
    ///
    /// @param tier code of the target [io.tombolo.region.Tier], or [#QUERY]
    Moved move(String vm, long firstPage, int count, int tier, long budgetNs);

    /// Adds one pin to each page of a range; PINS_FULL beyond 32 ranges per VM.
    void pin(String vm, long firstPage, long count);

    /// Takes one pin away; PIN_UNKNOWN unless exactly this range is pinned.
    void unpin(String vm, long firstPage, long count);

    /// The pinned ranges of a VM, by first page.
    List<Pinned> pins(String vm);

    /// The tiers that this host can use: its own and the region.
    List<TierFacts> tiers();

    /// What became of a call. The arrays are not copied: who gets it owns them.
    final class Moved {
        private final long vmPages;
        private final int pageBytes;
        private final int done;
        private final int notMoved;
        private final byte[] status;
        private final byte[] bits;

        public Moved(long vmPages, int pageBytes, int done, int notMoved, byte[] status, byte[] bits) {
            this.vmPages = vmPages;
            this.pageBytes = pageBytes;
            this.done = done;
            this.notMoved = notMoved;
            this.status = requireNonNull(status, "status is null");
            this.bits = requireNonNull(bits, "bits is null");
        }

        /// Pages of the VM.
        public long vmPages() {
            return vmPages;
        }

        /// Bytes of one page.
        public int pageBytes() {
            return pageBytes;
        }

        /// Pages handled, from the first asked for.
        public int done() {
            return done;
        }

        /// Of those, how many are not on the target tier.
        public int notMoved() {
            return notMoved;
        }

        /// Per handled page: the code of its tier after the call, or a negative errno.
        public byte[] status() {
            return status;
        }

        /// Per handled page: bit 0 accessed, bit 1 dirty.
        public byte[] bits() {
            return bits;
        }
    }

    /// A pinned range.
    ///
    /// @param pins how often it is pinned
    record Pinned(long firstPage, long count, int pins) {
    }

    /// One tier.
    ///
    /// @param name  `local` or `shared`
    /// @param type  `LOCAL` or `SHARED`
    /// @param where path of the file behind it
    record TierFacts(String name, String type, String where, long bytes, long freeBytes, List<Use> uses) {
        public TierFacts {
            requireNonNull(name, "name is null");
            requireNonNull(type, "type is null");
            requireNonNull(where, "where is null");
            uses = List.copyOf(uses);
        }
    }

    /// What one VM of this host uses of a tier.
    record Use(String vm, long pages, long bytes) {
        public Use {
            requireNonNull(vm, "vm is null");
        }
    }
}
