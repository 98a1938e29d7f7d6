package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.CHECKS;
import static io.tombolo.agent.sim.VcpuRegisters.PROGRAM_0;

/// Self-verifying pages: the part of every program that keeps dirtying memory.
///
/// A page is eight data words on eight cache lines, each `mix(salt, page and word, version)`, under a header word
/// that holds the version; an untouched page is all zero, version 0. A visit reads the header, checks every data word
/// against it, and writes the next version. A page in sequential order must have exactly the version of the pass
/// before; for the other orders, the versions of all pages must add up to the visits ([#checkAll]).
///
///     word 0: version     word 57 k (k = 1..8): mix(salt, page * 16 + k, version)     all other words: 0
final class PageVisitor {
    /// First page of the visits.
    static final int BASE = PROGRAM_0;
    /// Number of pages; 0 = this vCPU has none.
    static final int PAGES = PROGRAM_0 + 1;
    /// Next page of the sequential order.
    static final int CURSOR = PROGRAM_0 + 2;
    /// Visits so far.
    static final int VISITS = PROGRAM_0 + 3;
    /// Code of the [AccessPattern].
    static final int PATTERN = PROGRAM_0 + 4;
    /// Part of every mix, so that a page of another VM does not pass for one of this.
    static final int SALT = PROGRAM_0 + 5;

    static final int DATA_WORDS = 8;
    static final long WORD_STRIDE_BYTES = 57L * Long.BYTES;

    private static final int SEQUENTIAL = AccessPattern.SEQUENTIAL.code();
    private static final int UNIFORM = AccessPattern.UNIFORM.code();

    private PageVisitor() {
    }

    static void boot(long[] r, GuestSpec spec, long basePage, long pages) {
        r[BASE] = basePage;
        r[PAGES] = pages;
        r[PATTERN] = spec.pattern().code();
        r[SALT] = Mix.mix(spec.seed(), 1, r[VcpuRegisters.VCPU]);
    }

    static void visit(long[] r, GuestMemory memory) {
        long pages = r[PAGES];
        if (pages == 0) {
            return;
        }
        long page = r[BASE] + index(r, pages);
        long gpa = page << GuestMemory.PAGE_SHIFT;
        long version = memory.getLong(gpa);
        check(r, memory, page, version);
        if (r[PATTERN] == SEQUENTIAL && version != r[VISITS] / pages) {
            VcpuRegisters.error(r, SelfCheck.PAGE_VERSION, gpa);
        }
        long salt = r[SALT];
        memory.setLong(gpa, version + 1);
        for (int k = 1; k <= DATA_WORDS; k++) {
            memory.setLong(gpa + k * WORD_STRIDE_BYTES, Mix.mix(salt, page * 16 + k, version + 1));
        }
        r[VISITS]++;
    }

    private static long index(long[] r, long pages) {
        if (r[PATTERN] == SEQUENTIAL) {
            long index = r[CURSOR];
            r[CURSOR] = index + 1 == pages ? 0 : index + 1;
            return index;
        }
        long random = Mix.next(r);
        return r[PATTERN] == UNIFORM ? Mix.below(random, pages) : Mix.zipf(random, pages);
    }

    private static void check(long[] r, GuestMemory memory, long page, long version) {
        long gpa = page << GuestMemory.PAGE_SHIFT;
        long salt = r[SALT];
        long firstBad = 0;
        for (int k = DATA_WORDS; k >= 1; k--) {
            long expected = version == 0 ? 0 : Mix.mix(salt, page * 16 + k, version);
            if (memory.getLong(gpa + k * WORD_STRIDE_BYTES) != expected) {
                firstBad = k;
            }
        }
        r[CHECKS]++;
        if (firstBad != 0) {
            VcpuRegisters.error(r, SelfCheck.PAGE_WORD, gpa + firstBad * WORD_STRIDE_BYTES);
        }
    }

    /// Checks every page, its unused words too, and that the versions add up to the visits.
    static void checkAll(long[] r, GuestMemory memory) {
        long visits = 0;
        for (long page = r[BASE]; page < r[BASE] + r[PAGES]; page++) {
            long gpa = page << GuestMemory.PAGE_SHIFT;
            visits += memory.getLong(gpa);
            check(r, memory, page, memory.getLong(gpa));
            checkUnused(r, memory, gpa);
        }
        if (visits != r[VISITS]) {
            VcpuRegisters.error(r, SelfCheck.PAGE_VERSION, r[BASE] << GuestMemory.PAGE_SHIFT);
        }
    }

    private static void checkUnused(long[] r, GuestMemory memory, long gpa) {
        for (int offset = Long.BYTES; offset < GuestMemory.PAGE_BYTES; offset += Long.BYTES) {
            boolean used = offset % WORD_STRIDE_BYTES == 0 && offset <= DATA_WORDS * WORD_STRIDE_BYTES;
            if (!used && memory.getLong(gpa + offset) != 0) {
                VcpuRegisters.error(r, SelfCheck.PAGE_WORD, gpa + offset);
            }
        }
    }
}
