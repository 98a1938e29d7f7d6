package io.tombolo.agent.sim;

import java.util.concurrent.atomic.AtomicLongArray;

/// When the vCPUs of a VM began and ended to execute: System.nanoTime() readings that each vCPU's thread writes for
/// itself, on cache lines of its own, and anybody reads.
final class VcpuTimes {
    private static final int STARTED = 0;
    private static final int FIRST_DONE = 1;
    private static final int LAST = 2;
    // One cache line pair per vCPU.
    private static final int STRIDE = 16;

    private final AtomicLongArray times;
    private final int vcpus;

    VcpuTimes(int vcpus) {
        this.vcpus = vcpus;
        this.times = new AtomicLongArray(vcpus * STRIDE);
    }

    /// Just before the first instruction of a stretch.
    void starts(int vcpu) {
        times.setRelease(vcpu * STRIDE + STARTED, System.nanoTime());
    }

    /// Just after vCPU 0's first instruction of a stretch.
    void firstDone() {
        times.setRelease(FIRST_DONE, System.nanoTime());
    }

    /// Just after the last instruction of a stretch.
    void ends(int vcpu) {
        times.setRelease(vcpu * STRIDE + LAST, System.nanoTime());
    }

    long started() {
        return times.getAcquire(STARTED);
    }

    long firstInstructionDone() {
        return times.getAcquire(FIRST_DONE);
    }

    /// The latest end of any vCPU; 0 if there was none.
    long last() {
        long last = 0;
        for (int i = 0; i < vcpus; i++) {
            last = Math.max(last, times.getAcquire(i * STRIDE + LAST));
        }
        return last;
    }

    /// Brings the line that vCPU 0 writes next into this core's cache.
    void warm() {
        times.setRelease(STARTED, times.get(STARTED));
    }
}
