package io.tombolo.region;

import io.tombolo.region.os.Linux;
import io.tombolo.region.os.OsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/// Formats a region: builds it under a temporary name beside the target and gives it its name only when it is ready. So
/// a failure changes nothing, a killed format leaves a file that the next one takes over, and nobody ever opens a
/// half-made region under the real name. The ready word is stored last all the same: a copy of the temporary file must
/// not pass for a region.
final class RegionFormatter {
    private RegionFormatter() {
    }

    static RegionInfo format(Path target, FormatOptions options) {
        Path file = target.toAbsolutePath();
        refuseWhatIsThere(file, options);
        Superblock superblock = Superblock.plan(options, UUID.randomUUID(), System.currentTimeMillis());
        Path building = file.resolveSibling(file.getFileName() + ".formatting");
        try (FileChannel channel = FileChannel.open(building, StandardOpenOption.READ, StandardOpenOption.WRITE,
                StandardOpenOption.CREATE)) {
            try (FileLock lock = lockOrNull(channel)) {
                if (lock == null) {
                    throw TomboloException
                            .error(RegionError.REGION_FORMAT_BUSY, "another format of the same file is under way")
                            .fact("file", file).fact("found", building).next("wait for it to end").build();
                }
                try {
                    build(channel, building, file, superblock, options);
                    publish(building, file, options);
                } finally {
                    Files.deleteIfExists(building);
                }
            }
        } catch (IOException e) {
            throw TomboloException.error(RegionError.REGION_IO, "the region file cannot be written").fact("file", file)
                    .fact("reason", RegionError.reason(e)).next("check the directory and its permissions").cause(e)
                    .build();
        }
        return new RegionInfo(file, superblock);
    }

    /// The stores of format, on zeroed memory of the planned length.
    static void write(Memory memory, Superblock superblock) {
        long ready = RegionLayout.SUPERBLOCK.offset("ready");
        memory.copyIn(superblock.encode().bytes(), 0, 0, ready);
        memory.persist(0, RegionLayout.SUPERBLOCK.bytes());
        memory.storeRelease(ready, RegionLayout.READY);
        memory.persist(ready, 8);
    }

    private static void build(FileChannel channel, Path building, Path file, Superblock superblock,
            FormatOptions options)
            throws IOException {
        channel.truncate(0);
        if (options.reserve()) {
            requireRoom(file, superblock.fileBytes());
        }
        channel.write(ByteBuffer.wrap(new byte[1]), superblock.fileBytes() - 1);
        if (options.reserve()) {
            try {
                Linux.fallocate(building, 0, superblock.fileBytes());
            } catch (OsException e) {
                throw noRoom(file, superblock.fileBytes(), e.errnoName()).cause(e).build();
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            write(new MappedMemory(channel.map(MapMode.READ_WRITE, 0, superblock.fileBytes(), arena), building),
                    superblock);
        }
        channel.force(true);
    }

    private static void publish(Path building, Path file, FormatOptions options) throws IOException {
        if (options.force()) {
            try {
                Files.move(building, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException _) {
                Files.move(building, file, StandardCopyOption.REPLACE_EXISTING);
            }
            return;
        }
        try {
            // A link fails if the name exists, which a rename does not: two formats cannot both win.
            Files.createLink(file, building);
        } catch (FileAlreadyExistsException e) {
            refuseWhatIsThere(file, options);
            Files.delete(file);
            Files.createLink(file, building);
        }
    }

    private static void refuseWhatIsThere(Path file, FormatOptions options) {
        if (options.force()) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() == 0) {
                return;
            }
            ByteBuffer magic = ByteBuffer.allocate(8).order(java.nio.ByteOrder.LITTLE_ENDIAN);
            channel.read(magic, 0);
            boolean region = magic.position() == 8 && magic.getLong(0) == RegionLayout.MAGIC;
            throw TomboloException
                    .error(region ? RegionError.REGION_EXISTS : RegionError.REGION_FILE_NOT_EMPTY,
                            region ? "a region is already there" : "the file has contents and is not a region")
                    .fact("file", file).fact("offset", 0).fact("found", channel.size() + " bytes")
                    .fact("expected", "no file or an empty one")
                    .next("choose another path, or --force if its contents may be lost").build();
        } catch (NoSuchFileException _) {
            // Nothing there: the usual case.
        } catch (IOException e) {
            throw TomboloException.error(RegionError.REGION_IO, "the path cannot be read").fact("file", file)
                    .fact("reason", RegionError.reason(e)).next("check the path and its permissions").cause(e).build();
        }
    }

    private static void requireRoom(Path file, long bytes) throws IOException {
        long usable = Files.getFileStore(file.getParent()).getUsableSpace();
        if (usable < bytes) {
            throw noRoom(file, bytes, usable + " bytes free").build();
        }
    }

    static TomboloException.Builder noRoom(Path file, long bytes, String found) {
        return TomboloException.error(RegionError.REGION_NO_ROOM, "the file system has no room").fact("file", file)
                .fact("found", found).fact("expected", bytes + " bytes")
                .next("make room (df " + file.getParent() + "), mount a larger tmpfs, or ask for less");
    }

    private static FileLock lockOrNull(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            return null;
        }
    }
}
