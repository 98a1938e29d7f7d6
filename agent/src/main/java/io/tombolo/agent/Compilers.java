package io.tombolo.agent;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// The JVM's compilers, which take a core for milliseconds. On a host whose cores are all in use that is the core on
/// which a vCPU thread spins for an offer.
///
/// They are not given a lower priority: one that is descheduled with a lock of the compile queue stops the threads that
/// pet the watchdog.
final class Compilers {
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private Compilers() {
    }

    /// Waits until nothing has been compiled for `quietMs`, at most `limitMs`. Returns whether it became quiet.
    static boolean awaitQuiet(long quietMs, long limitMs) {
        CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
        if (compilation == null || !compilation.isCompilationTimeMonitoringSupported()) {
            return false;
        }
        long startNs = System.nanoTime();
        long changedNs = startNs;
        long before = compilation.getTotalCompilationTime();
        while (System.nanoTime() - startNs < TimeUnit.MILLISECONDS.toNanos(limitMs)) {
            LockSupport.parkNanos(LOOK_NS);
            long now = compilation.getTotalCompilationTime();
            if (now != before) {
                before = now;
                changedNs = System.nanoTime();
            } else if (System.nanoTime() - changedNs >= TimeUnit.MILLISECONDS.toNanos(quietMs)) {
                return true;
            }
        }
        return false;
    }
}
