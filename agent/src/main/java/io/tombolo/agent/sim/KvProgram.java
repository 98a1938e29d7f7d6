package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.BOOTED;
import static io.tombolo.agent.sim.VcpuRegisters.CHECKS;
import static io.tombolo.agent.sim.VcpuRegisters.INSTRUCTIONS;
import static io.tombolo.agent.sim.VcpuRegisters.PROGRAM_0;

/// `kv`: registers by 64-bit key that clients read, write, compare-and-set and append to, in an open-addressing table
/// in guest memory. An instruction of vCPU 0 checks one entry of the table and visits one page behind it; the other
/// vCPUs visit pages.
///
/// Memory of vCPU 0: page 0 header (word 0: magic, word 1: entries used), then the [ClientTable], then the entries of
/// 64 bytes, then the pages of the [PageVisitor]. An entry, with three words left for a list of values:
///
///     word 0: 1 = used   1: key   2: value   3: writes so far   4: mix over key, value, writes   5..7: 0
public final class KvProgram implements GuestProgram {
    static final int TABLE = PROGRAM_0 + 8;
    static final int ENTRIES = PROGRAM_0 + 9;
    static final int CURSOR = PROGRAM_0 + 10;
    static final int HEADER = PROGRAM_0 + 11;

    static final int ENTRY_BYTES = 64;
    private static final long MAGIC = 0x564B_4F4C_4F42_4D54L;
    private static final long MAX_ENTRIES = 1 << 18;
    private static final int ELEMENT_BITS = 4;
    private static final long MAX_ELEMENT = (1 << ELEMENT_BITS) - 1;

    KvProgram() {
    }

    @Override
    public int code() {
        return 2;
    }

    @Override
    public String label() {
        return "kv";
    }

    @Override
    public long minimumPages() {
        return 32;
    }

    @Override
    public long sliceInstructions() {
        return 128;
    }

    @Override
    public void boot(VcpuRegisters regs, GuestMemory memory, GuestSpec spec) {
        long[] r = regs.words();
        int vcpu = (int) r[VcpuRegisters.VCPU];
        long page = spec.firstPage(vcpu);
        long pages = spec.workingPages();
        if (vcpu == 0) {
            long clients = ClientTable.entriesFor(pages);
            r[HEADER] = page << GuestMemory.PAGE_SHIFT;
            ClientTable.boot(r, r[HEADER] + GuestMemory.PAGE_BYTES, clients);
            r[TABLE] = r[ClientTable.BASE] + clients * ClientTable.ENTRY_BYTES;
            r[ENTRIES] = Math.min(MAX_ENTRIES,
                    Long.highestOneBit(pages * GuestMemory.PAGE_BYTES / 4 / ENTRY_BYTES));
            memory.setLong(r[HEADER], MAGIC);
            long used = ((r[TABLE] + r[ENTRIES] * ENTRY_BYTES) >>> GuestMemory.PAGE_SHIFT) - page;
            page += used;
            pages -= used;
        }
        PageVisitor.boot(r, spec, page, pages);
        r[BOOTED] = 1;
    }

    @Override
    public void run(VcpuRegisters regs, GuestMemory memory, long instructions) {
        long[] r = regs.words();
        for (long i = 0; i < instructions; i++) {
            if (r[ENTRIES] != 0) {
                long cursor = r[CURSOR];
                checkEntry(r, memory, r[TABLE] + cursor * ENTRY_BYTES);
                r[CURSOR] = (cursor + 1) & (r[ENTRIES] - 1);
            }
            PageVisitor.visit(r, memory);
            r[INSTRUCTIONS]++;
        }
    }

    private static boolean checkEntry(long[] r, GuestMemory memory, long entry) {
        long used = memory.getLong(entry);
        long expected = used == 0 ? 0 : checkWord(memory, entry);
        boolean empty = used != 0 || (memory.getLong(entry + 8) | memory.getLong(entry + 16)
                | memory.getLong(entry + 24)) == 0;
        r[CHECKS]++;
        if (used >>> 1 != 0 || !empty || memory.getLong(entry + 32) != expected) {
            VcpuRegisters.error(r, SelfCheck.KV_ENTRY, entry);
            return false;
        }
        return true;
    }

    private static long checkWord(GuestMemory memory, long entry) {
        return Mix.mix(memory.getLong(entry + 8), memory.getLong(entry + 16), memory.getLong(entry + 24));
    }

    @Override
    public GuestReply call(VcpuRegisters regs, GuestMemory memory, GuestRequest request) {
        long[] r = regs.words();
        GuestOp op = GuestOp.of(request.op());
        return switch (op) {
            case KV_READ -> execute(r, memory, op, request);
            case KV_WRITE, KV_CAS, KV_APPEND ->
                ClientTable.once(r, memory, request, () -> execute(r, memory, op, request));
            case BANK_TRANSFER, BANK_READ, BANK_READ_ALL, BANK_TOTAL -> GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
            case null -> GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
        };
    }

    private static GuestReply execute(long[] r, GuestMemory memory, GuestOp op, GuestRequest request) {
        long entry = find(r, memory, request.a());
        boolean present = entry >= 0 && memory.getLong(entry) != 0;
        if (present && !checkEntry(r, memory, entry)) {
            return GuestReply.of(ReplyStatus.DAMAGED, 0);
        }
        if (op == GuestOp.KV_APPEND) {
            return append(r, memory, entry, present, request);
        }
        if (op == GuestOp.KV_WRITE) {
            return write(r, memory, entry, present, request.a(), request.b());
        }
        if (!present) {
            return GuestReply.of(ReplyStatus.NOT_FOUND, 0);
        }
        long value = memory.getLong(entry + 16);
        if (op == GuestOp.KV_READ) {
            return GuestReply.of(ReplyStatus.OK, value);
        }
        return value == request.b()
                ? write(r, memory, entry, true, request.a(), request.c())
                : GuestReply.of(ReplyStatus.CAS_MISMATCH, value);
    }

    private static GuestReply append(long[] r, GuestMemory memory, long entry, boolean present, GuestRequest request) {
        if (request.b() < 1 || request.b() > MAX_ELEMENT) {
            return GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
        }
        long list = present ? memory.getLong(entry + 16) : 0;
        if (list >>> (Long.SIZE - ELEMENT_BITS) != 0) {
            return GuestReply.of(ReplyStatus.TABLE_FULL, list);
        }
        return write(r, memory, entry, present, request.a(), list << ELEMENT_BITS | request.b());
    }

    private static GuestReply write(long[] r, GuestMemory memory, long entry, boolean present, long key, long value) {
        if (!present) {
            long used = memory.getLong(r[HEADER] + 8);
            // One entry in eight stays free, so that a search for a key that is not there ends soon.
            if (entry < 0 || used >= r[ENTRIES] - r[ENTRIES] / 8) {
                return GuestReply.of(ReplyStatus.TABLE_FULL, 0);
            }
            memory.setLong(r[HEADER] + 8, used + 1);
            memory.setLong(entry, 1);
            memory.setLong(entry + 8, key);
        }
        memory.setLong(entry + 16, value);
        memory.setLong(entry + 24, memory.getLong(entry + 24) + 1);
        memory.setLong(entry + 32, checkWord(memory, entry));
        return GuestReply.of(ReplyStatus.OK, value);
    }

    private static long find(long[] r, GuestMemory memory, long key) {
        long mask = r[ENTRIES] - 1;
        long index = Mix.finish(key ^ MAGIC) & mask;
        for (long probes = 0; probes <= mask; probes++) {
            long entry = r[TABLE] + index * ENTRY_BYTES;
            if (memory.getLong(entry) == 0 || memory.getLong(entry + 8) == key) {
                return entry;
            }
            index = (index + 1) & mask;
        }
        return -1;
    }

    @Override
    public void checkAll(VcpuRegisters regs, GuestMemory memory) {
        long[] r = regs.words();
        long used = 0;
        for (long i = 0; i < r[ENTRIES]; i++) {
            checkEntry(r, memory, r[TABLE] + i * ENTRY_BYTES);
            used += memory.getLong(r[TABLE] + i * ENTRY_BYTES);
        }
        if (r[ENTRIES] != 0) {
            if (memory.getLong(r[HEADER]) != MAGIC || memory.getLong(r[HEADER] + 8) != used) {
                VcpuRegisters.error(r, SelfCheck.KV_ENTRY, r[HEADER]);
            }
            ClientTable.checkAll(r, memory);
        }
        PageVisitor.checkAll(r, memory);
    }
}
