package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.CHECKS;
import static io.tombolo.agent.sim.VcpuRegisters.PROGRAM_0;

import java.util.List;
import java.util.function.Supplier;

/// The table by which a guest recognises repeated requests: guest memory of vCPU 0, so that it moves and rolls back
/// with what the requests did. Open addressing by client id, one 64-byte entry per client, never deleted; when it is
/// full, new clients are refused and nothing is executed.
///
///     word 0: client id (0 = free)   1: last sequence   2: op code   3: status code   4: value
///     word 5: hash of the arguments  6: mix over words 0..5          7: 0
final class ClientTable {
    /// Guest physical address of the table; 0 = this vCPU has none.
    static final int BASE = PROGRAM_0 + 14;
    /// Number of entries, a power of two.
    static final int ENTRIES = PROGRAM_0 + 15;

    static final int ENTRY_BYTES = 64;
    /// Most clients ever: 16384 entries are 1 MiB.
    static final int MAX_ENTRIES = 16_384;

    private ClientTable() {
    }

    /// Entries for a vCPU with this much memory: an eighth of it, a power of two, at most [#MAX_ENTRIES].
    static long entriesFor(long pages) {
        long entries = pages * GuestMemory.PAGE_BYTES / 8 / ENTRY_BYTES;
        return Math.min(MAX_ENTRIES, Long.highestOneBit(entries));
    }

    static void boot(long[] r, long gpa, long entries) {
        r[BASE] = gpa;
        r[ENTRIES] = entries;
    }

    /// Executes a request that changes something at most once per client and sequence number. Requests that only read
    /// do not come here: executing them again does no harm, and their results would fill the table.
    static GuestReply once(long[] r, GuestMemory memory, GuestRequest request, Supplier<GuestReply> execution) {
        if (request.clientId() == 0) {
            return execution.get();
        }
        long entry = find(r, memory, request.clientId());
        GuestReply known = recognise(r, memory, entry, request);
        if (known != null) {
            return known;
        }
        GuestReply reply = execution.get();
        remember(memory, entry, request, reply);
        return reply;
    }

    /// Address of the client's entry, or of the free one it would get; -1 if there is none of either.
    private static long find(long[] r, GuestMemory memory, long clientId) {
        long mask = r[ENTRIES] - 1;
        long index = Mix.finish(clientId) & mask;
        for (long probes = 0; probes <= mask; probes++) {
            long gpa = r[BASE] + index * ENTRY_BYTES;
            long id = memory.getLong(gpa);
            if (id == clientId || id == 0) {
                return gpa;
            }
            index = (index + 1) & mask;
        }
        return -1;
    }

    /// What to answer without executing, null if the request is new and is to be executed.
    private static GuestReply recognise(long[] r, GuestMemory memory, long entry, GuestRequest request) {
        if (entry < 0) {
            return GuestReply.of(ReplyStatus.CLIENTS_FULL, 0);
        }
        if (memory.getLong(entry) == 0) {
            return null;
        }
        r[CHECKS]++;
        if (memory.getLong(entry + 48) != checkWord(memory, entry)) {
            VcpuRegisters.error(r, SelfCheck.CLIENT_ENTRY, entry);
            return GuestReply.of(ReplyStatus.DAMAGED, 0);
        }
        long last = memory.getLong(entry + 8);
        if (request.sequence() > last) {
            return null;
        }
        if (request.sequence() < last) {
            return GuestReply.of(ReplyStatus.STALE_SEQUENCE, last);
        }
        if (memory.getLong(entry + 16) != request.op() || memory.getLong(entry + 40) != hash(request)) {
            return GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
        }
        return new GuestReply(ReplyStatus.of(memory.getLong(entry + 24)), memory.getLong(entry + 32),
                List.of(), true);
    }

    private static void remember(GuestMemory memory, long entry, GuestRequest request, GuestReply reply) {
        memory.setLong(entry, request.clientId());
        memory.setLong(entry + 8, request.sequence());
        memory.setLong(entry + 16, request.op());
        memory.setLong(entry + 24, reply.status().code());
        memory.setLong(entry + 32, reply.value());
        memory.setLong(entry + 40, hash(request));
        memory.setLong(entry + 48, checkWord(memory, entry));
    }

    /// Checks every entry.
    static void checkAll(long[] r, GuestMemory memory) {
        for (long i = 0; i < r[ENTRIES]; i++) {
            long entry = r[BASE] + i * ENTRY_BYTES;
            long expected = memory.getLong(entry) == 0 ? 0 : checkWord(memory, entry);
            r[CHECKS]++;
            if (memory.getLong(entry + 48) != expected) {
                VcpuRegisters.error(r, SelfCheck.CLIENT_ENTRY, entry);
            }
        }
    }

    private static long hash(GuestRequest request) {
        return Mix.mix(Mix.finish(request.a()), request.b(), request.c());
    }

    private static long checkWord(GuestMemory memory, long entry) {
        long check = 0;
        for (long word = 0; word < 6; word++) {
            check = Mix.mix(check, memory.getLong(entry + word * Long.BYTES), word);
        }
        return check;
    }
}
