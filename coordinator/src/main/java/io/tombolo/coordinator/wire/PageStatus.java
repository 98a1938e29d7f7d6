package io.tombolo.coordinator.wire;

/// The status of one page in [Reply.PagesMoved], with the numbers of move_pages(2): the code of the tier it is on, or a
/// negative errno as Linux numbers it.
public final class PageStatus {
    /// The page is in a frame of the region.
    public static final int SHARED = 0;
    /// The page is in its owner host's own memory.
    public static final int LOCAL = 1;
    /// The page has no frame.
    public static final int ENOENT = -2;
    /// The page's frame cannot be read or written.
    public static final int EIO = -5;
    /// No room in the target tier.
    public static final int ENOMEM = -12;
    /// The page may not leave shared memory.
    public static final int EACCES = -13;
    /// No such page in the VM.
    public static final int EFAULT = -14;
    /// Pinned, being moved by somebody else, or the VM is being handed off.
    public static final int EBUSY = -16;
    /// No such tier.
    public static final int EINVAL = -22;

    private PageStatus() {
    }

    /// As people read it: the name of the tier or of the errno.
    public static String text(int status) {
        return switch (status) {
            case SHARED -> "SHARED";
            case LOCAL -> "LOCAL";
            case ENOENT -> "ENOENT";
            case EIO -> "EIO";
            case ENOMEM -> "ENOMEM";
            case EACCES -> "EACCES";
            case EFAULT -> "EFAULT";
            case EBUSY -> "EBUSY";
            case EINVAL -> "EINVAL";
            default -> status < 0 ? "errno " + -status : "tier " + status;
        };
    }
}
