package io.tombolo.coordinator.wire;

/// What protection does for one VM, and what it costs; counted by the host that runs it since it runs there.
///
/// @param isProtected     whether the VM's commit word says so
/// @param interval        the last committed interval
/// @param checkpointUs    longest time between two commits
/// @param commits         commits
/// @param earlyCommits    of those, made before the time because pre-images ran short
/// @param dirtyPagesLast  pages written in the last committed interval
/// @param dirtyPagesMean  mean of all of them
/// @param pauseP50Ns      median pause of a commit, last instruction to next on the vCPU's own thread
/// @param pauseP99Ns      99th percentile of it
/// @param preimageFrames  frames that hold pre-images or are spare
/// @param preimageLimit   most frames it may take for them
/// @param rolledBack      pages that the last takeover rolled back
public record ProtectionStatus(boolean isProtected, long interval, int checkpointUs, long commits, long earlyCommits,
        long dirtyPagesLast, long dirtyPagesMean, long pauseP50Ns, long pauseP99Ns, long preimageFrames,
        long preimageLimit, long rolledBack) {
    /// Of a VM that is not protected, or is not run by who answers.
    public static final ProtectionStatus NONE = new ProtectionStatus(false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
