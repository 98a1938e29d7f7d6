package io.tombolo.agent.hypervisor;

import io.tombolo.coordinator.wire.ProtectionStatus;

/// How a guest is protected, since it came to this host.
///
/// @param isProtected    whether it is
/// @param interval       the last committed interval
/// @param checkpointUs   how often it is committed
/// @param commits        commits made here
/// @param earlyCommits   of those, how many before the interval was over, for want of frames or because of many replies
/// @param dirtyPagesLast pages written in the last committed interval
/// @param dirtyPagesMean the mean of the last some hundred
/// @param pauseP50Ns     pause of a vCPU for a commit, from its last instruction to its next
/// @param preimageFrames frames that it has beside its memory
/// @param preimageLimit  most pre-images it may have
public record ProtectionFacts(boolean isProtected, long interval, int checkpointUs, long commits, long earlyCommits,
        long dirtyPagesLast, long dirtyPagesMean, long pauseP50Ns, long pauseP99Ns, long pauseMaxNs,
        long preimageFrames, long preimageLimit) {
    /// Not protected.
    public static final ProtectionFacts NONE = new ProtectionFacts(false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// As it goes over the wire.
    ///
    /// @param rolledBack pages that the takeover by which the guest came here rolled back
    public ProtectionStatus status(long rolledBack) {
        return new ProtectionStatus(isProtected, interval, checkpointUs, commits, earlyCommits, dirtyPagesLast,
                dirtyPagesMean, pauseP50Ns, pauseP99Ns, preimageFrames, preimageLimit, rolledBack);
    }
}
