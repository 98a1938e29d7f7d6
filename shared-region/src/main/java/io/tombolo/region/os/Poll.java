package io.tombolo.region.os;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// poll(2) on one file descriptor, restarted after signals.
final class Poll {
    private static final MethodHandle POLL = Native.function("poll", Native.INT, Native.POINTER, Native.LONG,
            Native.INT);

    private Poll() {
    }

    /// `poll` is a filled `struct pollfd`; true if it became ready within `timeoutMs`.
    static boolean await(MemorySegment poll, long timeoutMs) {
        long deadline = System.nanoTime() + timeoutMs * 1_000_000L;
        MemorySegment state = Native.capture();
        try {
            while (true) {
                long leftMs = Math.max(0, (deadline - System.nanoTime() + 999_999) / 1_000_000);
                int rc = (int) POLL.invokeExact(state, poll, 1L, (int) Math.min(leftMs, Integer.MAX_VALUE));
                if (rc >= 0) {
                    return rc > 0;
                }
                if (Native.errno(state) != Errno.EINTR) {
                    throw new OsException("poll", Native.errno(state));
                }
            }
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }
}
