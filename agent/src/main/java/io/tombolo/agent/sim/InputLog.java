package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The log of executed client requests of one VM on one host: what a reference run needs, beside seed and counts, to
/// come to the same memory. After hops the logs of all hosts together are the log of the VM; indexes say whether one
/// is missing.
///
/// Bounded: [#CHUNK_ENTRIES] entries (64 KiB) are collected, then a chunk is complete. With a spill file, complete
/// chunks beyond the memory limit go there, one append of 64 KiB each, on the thread that executes requests (some 30
/// us, well within the interval of right checks). Without one, the log is full at the limit and the agent refuses
/// requests before it executes them ([ReplyStatus#LOG_FULL]): a replay that is certain is worth more than requests
/// that cannot be verified.
///
/// Thread safe.
public final class InputLog implements AutoCloseable {
    /// One executed request.
    ///
    /// @param index       how many requests the VM had executed before, since boot
    /// @param instruction instruction count of vCPU 0 at which it was executed
    /// @param request     what was executed
    public record Entry(long index, long instruction, GuestRequest request) {
    }

    /// Entries per chunk.
    public static final int CHUNK_ENTRIES = 1024;
    private static final int ENTRY_WORDS = 8;
    private static final int CHUNK_BYTES = CHUNK_ENTRIES * ENTRY_WORDS * Long.BYTES;

    private final int chunksInMemory;
    private final FileChannel spill;
    private final ArrayDeque<ByteBuffer> chunks = new ArrayDeque<>();
    private long spilledChunks;
    private boolean broken;

    private InputLog(int chunksInMemory, FileChannel spill) {
        this.chunksInMemory = Math.max(1, chunksInMemory);
        this.spill = spill;
    }

    /// A log that refuses at `limitEntries` (rounded up to whole chunks).
    public static InputLog inMemory(int limitEntries) {
        return new InputLog(Math.ceilDiv(limitEntries, CHUNK_ENTRIES), null);
    }

    /// A log that keeps about `memoryEntries` in memory and appends older chunks to a new file. The file loses its
    /// name at once and is gone when the log is closed or the process dies.
    ///
    /// @throws TomboloException [SimError#INPUT_LOG_SPILL_FAILED] if the file exists or cannot be created
    public static InputLog spilling(Path file, int memoryEntries) {
        requireNonNull(file, "file is null");
        try {
            return new InputLog(Math.ceilDiv(memoryEntries, CHUNK_ENTRIES),
                    FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE));
        } catch (IOException e) {
            throw spillFailed(e);
        }
    }

    /// Whether one more entry can be kept; makes the room for it. False from the first failure to spill on.
    public synchronized boolean hasRoom() {
        ByteBuffer last = chunks.peekLast();
        if (broken) {
            return false;
        }
        if (last != null && last.hasRemaining()) {
            return true;
        }
        if (chunks.size() < chunksInMemory) {
            chunks.addLast(ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN));
            return true;
        }
        return spill != null && spillOldest();
    }

    private boolean spillOldest() {
        ByteBuffer oldest = chunks.removeFirst();
        try {
            ByteBuffer content = oldest.duplicate().flip();
            long position = spilledChunks * CHUNK_BYTES;
            while (content.hasRemaining()) {
                position += spill.write(content, position);
            }
            spilledChunks++;
            chunks.addLast(oldest.clear());
            return true;
        } catch (IOException _) {
            // The requests from here on are refused with LOG_FULL, which is how the client learns of it.
            chunks.addFirst(oldest);
            broken = true;
            return false;
        }
    }

    /// Appends; [#hasRoom] must have said yes.
    void append(long index, long instruction, GuestRequest request) {
        synchronized (this) {
            ByteBuffer chunk = chunks.getLast();
            chunk.putLong(index).putLong(instruction).putLong(request.clientId()).putLong(request.sequence())
                    .putLong(request.op()).putLong(request.a()).putLong(request.b()).putLong(request.c());
        }
    }

    /// All entries so far, oldest first.
    ///
    /// @throws TomboloException [SimError#INPUT_LOG_SPILL_FAILED] if the spill file cannot be read
    public synchronized List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        try {
            for (long chunk = 0; chunk < spilledChunks; chunk++) {
                ByteBuffer buffer = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
                while (buffer.hasRemaining()) {
                    if (spill.read(buffer, chunk * CHUNK_BYTES + buffer.position()) < 0) {
                        throw new IOException("spill file ends early: chunk=" + chunk);
                    }
                }
                read(buffer, entries);
            }
        } catch (IOException e) {
            throw spillFailed(e);
        }
        for (ByteBuffer chunk : chunks) {
            read(chunk.duplicate().order(ByteOrder.LITTLE_ENDIAN), entries);
        }
        return entries;
    }

    /// The log of a VM from the logs of all hosts it was on.
    ///
    /// @param logs entries of each host, in any order
    /// @throws TomboloException [SimError#INPUT_LOG_INCOMPLETE] if an index is missing, or there twice with different
    ///         content
    public static List<Entry> merge(List<List<Entry>> logs) {
        List<Entry> all = new ArrayList<>();
        logs.forEach(all::addAll);
        all.sort(Comparator.comparingLong(Entry::index));
        List<Entry> merged = new ArrayList<>(all.size());
        for (Entry entry : all) {
            if (!merged.isEmpty() && merged.getLast().equals(entry)) {
                continue;
            }
            if (entry.index() != merged.size()) {
                throw TomboloException.error(SimError.INPUT_LOG_INCOMPLETE, "the log of client requests has a hole")
                        .fact("found", entry.index()).fact("expected", merged.size())
                        .next("fetch the log of every host the VM was on").build();
            }
            merged.add(entry);
        }
        return merged;
    }

    private static void read(ByteBuffer chunk, List<Entry> into) {
        chunk.flip();
        while (chunk.hasRemaining()) {
            long index = chunk.getLong();
            long instruction = chunk.getLong();
            into.add(new Entry(index, instruction, new GuestRequest(chunk.getLong(), chunk.getLong(),
                    (int) chunk.getLong(), chunk.getLong(), chunk.getLong(), chunk.getLong())));
        }
    }

    private static TomboloException spillFailed(IOException e) {
        return TomboloException.error(SimError.INPUT_LOG_SPILL_FAILED, "the spill file of the input log failed")
                .fact("reason", e.getMessage()).next("check the agent's directory, then re-create the VM").cause(e)
                .build();
    }

    @Override
    public synchronized void close() {
        chunks.clear();
        broken = true;
        if (spill != null) {
            try {
                spill.close();
            } catch (IOException e) {
                throw spillFailed(e);
            }
        }
    }
}
