package io.tombolo.agent.pages;

import io.tombolo.region.ErrorCode;

/// What tiers and page moves can refuse.
public enum PagesError implements ErrorCode {
    /// The file of the local tier cannot be made.
    LOCAL_TIER_UNUSABLE(4),
    /// There is no room for the local tier.
    LOCAL_TIER_NO_ROOM(4),
    /// An access to a tier's file faulted: it was truncated, or its medium failed.
    LOCAL_TIER_FAULT(5),
    /// ENODEV of move_pages(2): this host has no such tier.
    PAGES_ENODEV(2),
    /// EPERM of move_pages(2): this host does not own the VM, or its right to run it has lapsed.
    PAGES_EPERM(3),
    /// ESRCH of move_pages(2): no such VM on this host, or one whose pages cannot move.
    PAGES_ESRCH(3),
    /// E2BIG of move_pages(2): more pages than one call may name.
    PAGES_E2BIG(2),
    /// EINVAL of move_pages(2) for the call as a whole.
    PAGES_EINVAL(2);

    private final int exitStatus;

    PagesError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}
