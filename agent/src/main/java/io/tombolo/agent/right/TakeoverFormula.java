package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// The worst-case time from the failure of a host until a protected VM of it runs elsewhere, as a sum of terms. What
/// `tombolo timeouts` prints and what a drill holds every takeover against.
///
/// It holds for one failure at a time and a host under a working watchdog, and is counted from the later of the failure
/// and "the ensemble has a quorum and a coordinator leads".
///
/// | term | formula | why |
/// |---|---|---|
/// | detection | T + 1.5 tick | until ZooKeeper has removed the host's session, see [Timings#detectionMs] |
/// | look | B / 5 | until the leading coordinator has seen that, and that the host still owns VMs |
/// | fence order | B / 5 | order to a live host, slot word LIVE -> FENCING; order to the one that takes over, owner
/// word |
/// | watchdog bound | (a W + C + S + Kr)(1 + rho) | until every process of the host has stopped and that is said |
/// | recovery | [#RECOVERY_NS] for each frame of the region | what the dead incarnation had reserved |
/// | rollback | [#ROLLBACK_NS] for each page written since the last commit | pointers only, nothing is copied |
/// | table walk | [#WALK_NS] for each page of the VM | its page table is put right |
/// | resume | B / 5 | state read and committed, owner word, first instruction |
///
/// A term in B is what a thread may have to wait for a core and a process for an answer on a busy machine; the terms
/// per frame and page are those of code that has not been compiled yet.
///
/// @param timings      of the cluster
/// @param regionFrames frames of the region
/// @param pages        pages of the VM
/// @param dirtyPages   pages that the VM writes between two commits at most
public record TakeoverFormula(Timings timings, long regionFrames, long pages, long dirtyPages) {
    /// Nanoseconds for one frame of the region.
    public static final long RECOVERY_NS = 100;
    /// Nanoseconds for one page that is rolled back.
    public static final long ROLLBACK_NS = 1_000;
    /// Nanoseconds for one entry of the VM's page table.
    public static final long WALK_NS = 100;
    /// Pages that an interval can have written at most: the log has no more entries (docs/protection.md).
    public static final long DIRTY_PAGES_MAX = 65_536;

    private static final long NS_PER_MS = 1_000_000L;
    private static final int PARTS = 5;

    public TakeoverFormula {
        requireNonNull(timings, "timings is null");
        if (regionFrames < 0 || pages < 0 || dirtyPages < 0) {
            throw new IllegalArgumentException(
                    "negative count: frames " + regionFrames + " pages " + pages + " dirty " + dirtyPages);
        }
    }

    /// One part of the sum.
    ///
    /// @param name    short name, a stable key
    /// @param formula in words and the letters of [Timings]
    /// @param values  the same with the figures put in
    public record Term(String name, String formula, String values, long ns) {
        public Term {
            requireNonNull(name, "name is null");
            requireNonNull(formula, "formula is null");
            requireNonNull(values, "values is null");
        }
    }

    /// A VM of that size which writes as much as it can between two commits.
    public static TakeoverFormula of(Timings timings, long regionFrames, long pages) {
        return new TakeoverFormula(timings, regionFrames, pages, Math.min(pages, DIRTY_PAGES_MAX));
    }

    /// The terms in the order of time.
    public List<Term> terms() {
        String part = "B / " + PARTS;
        String partMs = timings.baseMs() + " ms / " + PARTS;
        return List.of(
                new Term("detection", "T + 1.5 tick",
                        timings.sessionMs() + " ms + 1.5 * " + timings.zooKeeperTickMs() + " ms",
                        timings.detectionMs() * NS_PER_MS),
                new Term("look", part, partMs, partNs()), new Term("fenceOrder", part, partMs, partNs()),
                new Term("watchdogBound", "(a W + C + S + Kr)(1 + rho)",
                        "(1 * " + timings.watchdogMs() + " + " + timings.checkPeriodNs() / NS_PER_MS + " + "
                                + timings.scanMs() + " + " + timings.killToReapedMs() + ") ms * 1.001",
                        timings.certainlyStoppedNs(PetMode.TIMESTAMPED)),
                new Term("recovery", RECOVERY_NS + " ns * frames", RECOVERY_NS + " ns * " + regionFrames,
                        RECOVERY_NS * regionFrames),
                new Term("rollback", ROLLBACK_NS / 1_000 + " us * dirty pages",
                        ROLLBACK_NS / 1_000 + " us * " + dirtyPages,
                        ROLLBACK_NS * dirtyPages),
                new Term("tableWalk", WALK_NS + " ns * pages", WALK_NS + " ns * " + pages, WALK_NS * pages),
                new Term("resume", part, partMs, partNs()));
    }

    private long partNs() {
        return timings.baseMs() * NS_PER_MS / PARTS;
    }

    /// The sum.
    public long totalNs() {
        return terms().stream().mapToLong(Term::ns).sum();
    }
}
