package io.tombolo.agent.pages;

/// What backs the local tier.
public enum HugePages {
    /// Pages of the base size.
    NONE,
    /// Transparent huge pages, asked for by madvise(2) MADV_HUGEPAGE. On tmpfs the kernel follows only if
    /// `/sys/kernel/mm/transparent_hugepage/shmem_enabled` is `advise` or more.
    TRANSPARENT,
    /// The directory is a mount of hugetlbfs.
    HUGETLBFS
}
