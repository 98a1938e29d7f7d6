package io.tombolo.region;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/// Every way in which shared-region refuses. Exit status: 2 bad input, 3 refused because of a state, 4 environment,
/// 5 damage. Names are stable: scripts match on them.
public enum RegionError implements ErrorCode {
    /// The region file does not exist.
    REGION_MISSING(2),
    /// The file is shorter than a superblock.
    REGION_TOO_SMALL(5),
    /// The file is shorter than its superblock says, when opened or under a live mapping.
    REGION_TRUNCATED(5),
    /// The file is longer than its superblock says.
    REGION_SIZE_MISMATCH(5),
    /// The magic number is not there.
    REGION_NOT_A_REGION(2),
    /// The format's major version is not the one this program knows.
    REGION_VERSION_UNKNOWN(2),
    /// A feature bit that must be understood is not, or one that this version needs is not there.
    REGION_FEATURE_UNKNOWN(2),
    /// The region belongs to another cluster.
    REGION_OTHER_CLUSTER(2),
    /// Formatting began and never ended.
    REGION_NOT_READY(5),
    /// The superblock's checksum or geometry is wrong.
    REGION_SUPERBLOCK_DAMAGED(5),
    /// Format refuses: a region is already there.
    REGION_EXISTS(3),
    /// Format refuses: the file has contents and is not a region.
    REGION_FILE_NOT_EMPTY(3),
    /// Format refuses: another format of the same file is under way.
    REGION_FORMAT_BUSY(3),
    /// Format refuses its options.
    REGION_OPTIONS_INVALID(2),
    /// The file system has no room for the region or the segment.
    REGION_NO_ROOM(4),
    /// Reading or writing the file failed.
    REGION_IO(4),
    /// Not enough free frames, or none in one run for a page table.
    REGION_FULL(3),
    /// The host's local tier has not enough free room.
    LOCAL_TIER_FULL(3),
    /// All places for pinned ranges of the VM are taken.
    PINS_FULL(3),
    /// The range is not pinned.
    PIN_UNKNOWN(2),
    /// The range to pin or unpin is empty or not inside the VM.
    PIN_RANGE_INVALID(2),
    /// No VM slot is free.
    REGION_VM_SLOTS_EXHAUSTED(3),
    /// No host slot is free.
    REGION_HOST_SLOTS_EXHAUSTED(3),
    /// The same host (name or UUID) is live, or joining, in another slot.
    REGION_HOST_LIVE(3),
    /// The host slot is still named by something in the region.
    REGION_HOST_SLOT_IN_USE(3),
    /// The incarnation is not confirmed stopped.
    REGION_HOST_NOT_CONFIRMED(3),
    /// A slot was used in a state that does not allow it.
    REGION_WRONG_STATE(3),
    /// The VM has more owners in doubt than there is room for.
    REGION_DOUBTS_FULL(3),
    /// The VM is protected already, or is not.
    REGION_PROTECTION_STATE(3),
    /// The VM cannot be protected: its memory is not 4 KiB frames of the region.
    REGION_NOT_PROTECTABLE(3),
    /// The epoch of a VM slot is at its maximum.
    REGION_EPOCH_EXHAUSTED(3),
    /// The mapping faulted although the file has its full length.
    REGION_MEMORY_FAULT(5),
    /// A host's or VM's identity has a wrong checksum or impossible contents.
    REGION_IDENTITY_DAMAGED(5),
    /// A metadata slot's header or payload has a wrong checksum or impossible contents.
    REGION_METADATA_DAMAGED(5),
    /// A metadata slot is sound but of another epoch or another VM.
    REGION_METADATA_FOREIGN(3),
    /// A blob does not fit into the slot or the reader's buffer.
    REGION_METADATA_TOO_LARGE(2),
    /// The segment file does not exist.
    REGION_SEGMENT_MISSING(5),
    /// The segment file has another length than guest size plus trailer.
    REGION_SEGMENT_TRUNCATED(5),
    /// The trailer is damaged or not there.
    REGION_SEGMENT_DAMAGED(5),
    /// The trailer names another region or another segment.
    REGION_SEGMENT_FOREIGN(5),
    /// The segment file exists already.
    REGION_SEGMENT_EXISTS(3);

    private final int exitStatus;

    RegionError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }

    /// What went wrong with a file, in words: some exceptions say only its path.
    static String reason(Exception failure) {
        return switch (failure) {
            case NoSuchFileException missing -> "no such file or directory: " + missing.getFile();
            case AccessDeniedException denied -> "permission denied: " + denied.getFile();
            case FileAlreadyExistsException there -> "it exists already: " + there.getFile();
            default -> String.valueOf(failure.getMessage());
        };
    }
}
