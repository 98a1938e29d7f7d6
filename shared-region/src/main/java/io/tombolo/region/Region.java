package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/// A mapped region: the shared memory in which hypervisors hand VMs to each other. Format: docs/region-format.md.
///
/// Thread safe. The mapping lives until [#close]; after it every access throws IllegalStateException, also those
/// through segments handed out earlier. A file truncated under the mapping shows as [TomboloException] with
/// [RegionError#REGION_TRUNCATED]; threads that read raw segments convert the JVM's InternalError with [#translate].
public final class Region implements AutoCloseable {
    private final Path file;
    private final Superblock superblock;
    private final Memory memory;
    private final MemorySegment data;
    private final Arena arena;
    private final SegmentFiles segments;
    private final ConcurrentHashMap<Integer, FrameAllocator> allocators = new ConcurrentHashMap<>();

    private Region(Path file, Superblock superblock, Memory memory, Arena arena) {
        this.file = file;
        this.superblock = superblock;
        this.memory = memory;
        this.arena = arena;
        this.data = memory.segment(superblock.dataOffset(), superblock.frameCount() * RegionLayout.FRAME_BYTES);
        this.segments = new SegmentFiles(segmentDirectory(file), superblock.regionUuid(), SegmentFiles.Step.NONE);
    }

    /// Makes a new region file. Refuses when a region, or any non-empty file, is there, unless `options.force()`. Room
    /// is checked, and with `options.reserve()` taken, before anything becomes visible under the name; on failure
    /// nothing is left behind and what was there stays as it was.
    public static RegionInfo format(Path file, FormatOptions options) {
        return RegionFormatter.format(requireNonNull(file, "file is null"), requireNonNull(options, "options is null"));
    }

    /// Maps an existing region after checking everything that can be checked without walking tables (I6).
    public static Region open(Path file, OpenOptions options) {
        requireNonNull(options, "options is null");
        Path absolute = requireNonNull(file, "file is null").toAbsolutePath();
        StandardOpenOption[] mode = options.readOnly()
                ? new StandardOpenOption[]{StandardOpenOption.READ}
                : new StandardOpenOption[]{StandardOpenOption.READ, StandardOpenOption.WRITE};
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(absolute, mode)) {
            long size = channel.size();
            if (size < RegionLayout.SUPERBLOCK.bytes()) {
                throw SuperblockReader
                        .refuse(RegionError.REGION_TOO_SMALL, "the file is shorter than a superblock", absolute,
                                "magic", size + " bytes", "at least " + RegionLayout.SUPERBLOCK.bytes() + " bytes")
                        .next("check the path; tombolo region format makes a region").build();
            }
            MemorySegment mapped = channel.map(options.readOnly() ? MapMode.READ_ONLY : MapMode.READ_WRITE, 0, size,
                    arena);
            Region region = attach(new MappedMemory(mapped, absolute), absolute, options, arena);
            opened = true;
            return region;
        } catch (NoSuchFileException e) {
            throw TomboloException.error(RegionError.REGION_MISSING, "there is no region file").fact("file", absolute)
                    .next("tombolo region format " + absolute).cause(e).build();
        } catch (IOException e) {
            throw TomboloException.error(RegionError.REGION_IO, "the region file cannot be opened")
                    .fact("file", absolute)
                    .fact("reason", RegionError.reason(e)).next("check the path and its permissions").cause(e).build();
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// A region over any memory, for test doubles and simulation; `file` only names it in messages and places its
    /// segment files.
    public static Region over(Memory memory, Path file) {
        return attach(memory, file, OpenOptions.readWrite(), null);
    }

    /// Bytes of memory that [#formatOver] needs.
    public static long bytesNeeded(FormatOptions options) {
        return Superblock.plan(options, options.clusterUuid(), 0).fileBytes();
    }

    /// The stores of format on zeroed memory of [#bytesNeeded], for test doubles and simulation; what it says of itself
    /// is given, so that the bytes are the same every time.
    public static Superblock formatOver(Memory memory, FormatOptions options, UUID regionUuid, long formattedAtMs) {
        Superblock superblock = Superblock.plan(options, regionUuid, formattedAtMs);
        RegionFormatter.write(memory, superblock);
        return superblock;
    }

    private static Region attach(Memory memory, Path file, OpenOptions options, Arena arena) {
        FieldBuffer raw = new FieldBuffer(RegionLayout.SUPERBLOCK).load(memory, 0, 0, RegionLayout.SUPERBLOCK.bytes());
        return new Region(file, SuperblockReader.check(raw, file, memory.bytes(), options), memory, arena);
    }

    public Superblock superblock() {
        return superblock;
    }

    public Path file() {
        return file;
    }

    /// Directory of the segment files; it exists once the first segment was made.
    public Path segmentDirectory() {
        return segmentDirectory(file);
    }

    private static Path segmentDirectory(Path file) {
        return file.resolveSibling(file.getFileName() + ".segments");
    }

    public Memory memory() {
        return memory;
    }

    /// The data area: frame f is at f * 4096.
    public MemorySegment data() {
        return data;
    }

    public HostSlot host(int slot) {
        return new HostSlot(this, checkIndex(slot, superblock.hostSlots(), "host slot"));
    }

    public int hostSlots() {
        return superblock.hostSlots();
    }

    public VmSlot vm(int slot) {
        return new VmSlot(this, checkIndex(slot, superblock.vmSlots(), "VM slot"));
    }

    public int vmSlots() {
        return superblock.vmSlots();
    }

    /// The allocator of the incarnation that holds the slot now; one per incarnation and region object. A process makes
    /// one region object per region, because what the allocator knows is not shared.
    public FrameAllocator allocator(int hostSlot) {
        long word = host(hostSlot).wordAcquire();
        if (SlotWord.state(word) != HostState.LIVE) {
            throw TomboloException.error(RegionError.REGION_WRONG_STATE, "only a live host allocates frames")
                    .fact("file", file).fact("host", hostSlot).fact("found", SlotWord.describe(word))
                    .fact("expected", "LIVE")
                    .next("restart the agent so that it claims a slot").build();
        }
        long incarnation = SlotWord.incarnation(word);
        return allocators.compute(hostSlot,
                (_, known) -> known != null && known.incarnation() == incarnation
                        ? known
                        : new FrameAllocator(this, hostSlot, incarnation));
    }

    public SegmentFiles segments() {
        return segments;
    }

    /// Says what a fault of the mapping means; anything else comes back as it is.
    public RuntimeException translate(Throwable failure) {
        return switch (failure) {
            case InternalError fault -> MemoryFaults.translate(file, superblock.fileBytes(), -1, fault);
            case Error error -> throw error;
            case RuntimeException known -> known;
            case Throwable other -> new IllegalStateException(other);
        };
    }

    /// Runs an operation and converts a fault of the mapping that came late, after the access that caused it.
    <T> T guarded(Supplier<T> operation) {
        try {
            return operation.get();
        } catch (InternalError fault) {
            throw translate(fault);
        }
    }

    long blockOffset(long block) {
        return superblock.blockOffset() + block * 8;
    }

    long frameWordOffset(long frame) {
        return superblock.frameOffset() + frame * 8;
    }

    /// Offset of the word that says what a frame of this size is.
    long wordOffset(PageSize size, long frame) {
        return size == PageSize.SMALL ? frameWordOffset(frame) : blockOffset(frame / BlockWord.FRAMES);
    }

    /// Offset in the region file of a frame's bytes, for [Memory].
    public long frameDataOffset(long frame) {
        return superblock.dataOffset() + frame * RegionLayout.FRAME_BYTES;
    }

    private int checkIndex(int index, int count, String kind) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException(kind + " " + index + " is not below " + count);
        }
        return index;
    }

    @Override
    public void close() {
        if (arena != null) {
            arena.close();
        }
    }
}
