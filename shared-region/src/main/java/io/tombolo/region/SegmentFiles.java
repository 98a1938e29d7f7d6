package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.os.Linux;
import io.tombolo.region.os.OsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/// Segment files: guest memory that is mapped as a whole from offset 0 (QEMU), with a trailer page behind the guest's
/// size that says whose it is. The guest never sees the trailer, because its mapping ends before. Thread safe; two
/// makers of the same UUID do not meet.
///
/// A segment appears under its name `<uuid>.seg` only when it is whole: it is built as `<uuid>.seg.building` and
/// renamed.
public final class SegmentFiles {
    /// Points between which a maker can die; tests pass a hook that throws.
    enum Step {
        BUILD_CREATED, BUILD_SIZED, BUILD_RESERVED, BUILD_SEALED, BUILD_RENAMED, DELETE_REMOVED;

        /// Called after each point.
        interface Hook {
            void reached(Step step);
        }

        static final Hook NONE = _ -> {
        };
    }

    /// A segment file that was checked: map `guestBytes` bytes from offset 0.
    public record Segment(UUID uuid, Path path, long guestBytes, UUID vmUuid) {
    }

    private static final Struct TRAILER = RegionLayout.SEGMENT_TRAILER;
    private static final String SUFFIX = ".seg";
    private static final String BUILDING = ".seg.building";

    private final Path directory;
    private final UUID regionUuid;
    private final Step.Hook hook;

    SegmentFiles(Path directory, UUID regionUuid, Step.Hook hook) {
        this.directory = requireNonNull(directory, "directory is null");
        this.regionUuid = requireNonNull(regionUuid, "regionUuid is null");
        this.hook = requireNonNull(hook, "hook is null");
    }

    /// Where the segment is, or would be.
    public Path path(UUID segmentUuid) {
        return directory.resolve(segmentUuid + SUFFIX);
    }

    /// Makes a segment of `guestBytes` (multiple of 4096) zero bytes plus trailer, with its room reserved. Throws
    /// REGION_NO_ROOM, REGION_SEGMENT_EXISTS; leaves nothing behind on failure.
    public Segment create(UUID segmentUuid, UUID vmUuid, long guestBytes) {
        return create(segmentUuid, vmUuid, guestBytes, true);
    }

    /// As the other form; without `reserve` the file takes room as the guest touches it.
    public Segment create(UUID segmentUuid, UUID vmUuid, long guestBytes, boolean reserve) {
        if (guestBytes <= 0 || guestBytes % RegionLayout.FRAME_BYTES != 0) {
            throw TomboloException.error(RegionError.REGION_OPTIONS_INVALID, "the segment's size is out of range")
                    .fact("found", guestBytes).fact("expected", "a positive multiple of 4096")
                    .next("correct the VM definition").build();
        }
        Path path = path(segmentUuid);
        Path building = directory.resolve(segmentUuid + BUILDING);
        try {
            Files.createDirectories(directory);
            if (Files.exists(path)) {
                throw new FileAlreadyExistsException(path.toString());
            }
            boolean whole = false;
            try {
                build(building, segmentUuid, vmUuid, guestBytes, reserve);
                Files.move(building, path);
                whole = true;
            } catch (IOException | TomboloException e) {
                Files.deleteIfExists(building);
                throw e;
            }
            if (whole) {
                hook.reached(Step.BUILD_RENAMED);
            }
            return new Segment(segmentUuid, path, guestBytes, vmUuid);
        } catch (FileAlreadyExistsException e) {
            throw TomboloException.error(RegionError.REGION_SEGMENT_EXISTS, "the segment file exists already")
                    .fact("file", path).next("use a new segment UUID").cause(e).build();
        } catch (IOException e) {
            throw io(path, e);
        }
    }

    private void build(Path building, UUID segmentUuid, UUID vmUuid, long guestBytes, boolean reserve)
            throws IOException {
        long fileBytes = guestBytes + TRAILER.bytes();
        if (reserve) {
            long usable = Files.getFileStore(directory).getUsableSpace();
            if (usable < fileBytes) {
                throw RegionFormatter.noRoom(building, fileBytes, usable + " bytes free").build();
            }
        }
        try (FileChannel channel = FileChannel.open(building, StandardOpenOption.READ, StandardOpenOption.WRITE,
                StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
            hook.reached(Step.BUILD_CREATED);
            channel.write(ByteBuffer.wrap(new byte[1]), fileBytes - 1);
            hook.reached(Step.BUILD_SIZED);
            if (reserve) {
                Linux.fallocate(building, 0, fileBytes);
                hook.reached(Step.BUILD_RESERVED);
            }
            FieldBuffer trailer = new FieldBuffer(TRAILER).word("magic", RegionLayout.SEGMENT_MAGIC)
                    .int32("major", RegionLayout.MAJOR).int32("minor", RegionLayout.MINOR)
                    .uuid("region_uuid", regionUuid)
                    .uuid("segment_uuid", segmentUuid).uuid("vm_uuid", vmUuid).word("guest_bytes", guestBytes);
            trailer.int32("crc", trailer.crc("magic"));
            channel.write(trailer.bytes().asByteBuffer(), guestBytes);
            channel.force(true);
            hook.reached(Step.BUILD_SEALED);
        } catch (OsException e) {
            throw RegionFormatter.noRoom(building, fileBytes, e.errnoName()).cause(e).build();
        }
    }

    /// Checks a segment file: there, of the right length, whole trailer, this region, this segment, this size. Reads
    /// only the trailer.
    public Segment open(UUID segmentUuid, long expectedGuestBytes) {
        Path path = path(segmentUuid);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long expected = expectedGuestBytes + TRAILER.bytes();
            if (channel.size() != expected) {
                throw refuse(RegionError.REGION_SEGMENT_TRUNCATED, "the segment file has another length", path,
                        expectedGuestBytes, channel.size(), expected);
            }
            FieldBuffer trailer = readTrailer(channel, expectedGuestBytes);
            String damage = trailerDamage(trailer);
            if (damage != null) {
                throw refuse(RegionError.REGION_SEGMENT_DAMAGED, "the segment's trailer is damaged: " + damage, path,
                        expectedGuestBytes, SuperblockReader.hex(trailer.int32("crc")),
                        SuperblockReader.hex(trailer.crc("magic")));
            }
            if (!trailer.uuid("region_uuid").equals(regionUuid)) {
                throw refuse(RegionError.REGION_SEGMENT_FOREIGN, "the segment belongs to another region", path,
                        expectedGuestBytes + TRAILER.offset("region_uuid"), trailer.uuid("region_uuid"), regionUuid);
            }
            if (!trailer.uuid("segment_uuid").equals(segmentUuid)
                    || trailer.word("guest_bytes") != expectedGuestBytes) {
                throw refuse(RegionError.REGION_SEGMENT_FOREIGN, "the file is another segment", path,
                        expectedGuestBytes + TRAILER.offset("segment_uuid"),
                        trailer.uuid("segment_uuid") + " of " + trailer.word("guest_bytes") + " bytes",
                        segmentUuid + " of " + expectedGuestBytes + " bytes");
            }
            return new Segment(segmentUuid, path, expectedGuestBytes, trailer.uuid("vm_uuid"));
        } catch (NoSuchFileException e) {
            throw TomboloException.error(RegionError.REGION_SEGMENT_MISSING, "there is no segment file")
                    .fact("file", path)
                    .fact("expected", expectedGuestBytes + TRAILER.bytes() + " bytes")
                    .next("the VM's memory is gone: destroy the VM").cause(e).build();
        } catch (IOException e) {
            throw io(path, e);
        }
    }

    /// Removes a segment, and what an interrupted create of it left. False if there was nothing.
    public boolean delete(UUID segmentUuid) {
        try {
            boolean building = Files.deleteIfExists(directory.resolve(segmentUuid + BUILDING));
            boolean there = Files.deleteIfExists(path(segmentUuid));
            hook.reached(Step.DELETE_REMOVED);
            return there || building;
        } catch (IOException e) {
            throw io(path(segmentUuid), e);
        }
    }

    /// All files in the segment directory, whole or not, for verify and clean-up.
    public List<Path> list() {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return new ArrayList<>(files.sorted().toList());
        } catch (IOException e) {
            throw io(directory, e);
        }
    }

    static FieldBuffer readTrailer(FileChannel channel, long at) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) TRAILER.bytes());
        while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) >= 0) {
            // until the page is there or the file ends
        }
        FieldBuffer trailer = new FieldBuffer(TRAILER);
        java.lang.foreign.MemorySegment.copy(java.lang.foreign.MemorySegment.ofArray(bytes.array()), 0, trailer.bytes(),
                0,
                TRAILER.bytes());
        return trailer;
    }

    /// What is wrong with a trailer by itself, or null.
    static String trailerDamage(FieldBuffer trailer) {
        if (trailer.word("magic") != RegionLayout.SEGMENT_MAGIC) {
            return "magic";
        }
        if (!trailer.crcMatches("magic") || trailer.int32("major") != RegionLayout.MAJOR) {
            return "crc";
        }
        return trailer.allZero(TRAILER.offset("crc") + 4, TRAILER.bytes()) ? null : "reserved bytes";
    }

    private TomboloException refuse(RegionError code, String what, Path path, long offset, Object found,
            Object expected) {
        return TomboloException.error(code, what).fact("file", path).fact("structure", "segment_trailer")
                .fact("offset", offset).fact("found", found).fact("expected", expected)
                .next("do not start the VM; restore the file or destroy the VM").build();
    }

    private static TomboloException io(Path path, IOException cause) {
        return TomboloException.error(RegionError.REGION_IO, "a segment file cannot be read or written")
                .fact("file", path)
                .fact("reason", RegionError.reason(cause)).next("check the directory and its permissions").cause(cause)
                .build();
    }
}
