package io.tombolo.region;

/// One thing that verify found. `structure` names the structure with its index (`vm_slot 3 owner`), `offset` is in the
/// region file, or in the segment file that `structure` names.
public record Finding(Code code, String structure, long offset, String found, String expected, String next) {
    /// Kinds of findings; names are stable.
    public enum Code {
        /// The superblock would not be accepted by open.
        SUPERBLOCK,
        /// A byte that the format reserves is not zero.
        RESERVED_NOT_ZERO,
        /// A word has a state that the format does not know, or bits that its state does not have.
        ILLEGAL_WORD,
        /// A checksum does not fit, or the contents are impossible.
        CHECKSUM,
        /// A word names a host slot or incarnation that is not there.
        HOST_NOT_THERE,
        /// A free slot still has contents.
        FREE_BUT_NOT_EMPTY,
        /// Two VM slots have the same UUID.
        DUPLICATE_VM,
        /// A VM was offered and no metadata slot holds its state.
        METADATA_MISSING,
        /// A frame word and the structure that should name the frame do not agree: the frame is lost.
        FRAME_LEAKED,
        /// A page table entry names a frame whose word says something else: the frame is used twice or is free.
        FRAME_MISMATCH,
        /// A frame is reserved by a host that does not own its block.
        FRAME_OUTSIDE_BLOCK,
        /// A page is marked as being moved, and nobody moves it.
        PAGE_MARKED,
        /// The number of local pages and the entries do not agree.
        LOCAL_PAGES,
        /// A pinned range is damaged, or their number is wrong.
        PINS,
        /// A segment file is missing, damaged or somebody else's.
        SEGMENT,
        /// A segment file that no VM names.
        SEGMENT_LEAKED
    }
}
