package io.tombolo.region.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// A handle to one process that never means another one, whatever happens to its pid. Not thread safe with [#close].
public final class PidFd implements AutoCloseable {
    private static final long SYS_PIDFD_SEND_SIGNAL = 424;
    private static final long SYS_PIDFD_OPEN = 434;
    private static final short POLLIN = 1;
    private static final MethodHandle SYSCALL = Native.variadic("syscall", 1, Native.LONG, Native.LONG, Native.LONG,
            Native.LONG,
            Native.LONG, Native.LONG);

    private final long pid;
    private final int fd;
    private boolean closed;

    private PidFd(long pid, int fd) {
        this.pid = pid;
        this.fd = fd;
    }

    /// Throws OsException ESRCH if there is no such process. Open it while the process cannot have been reaped yet.
    public static PidFd open(long pid) {
        MemorySegment state = Native.capture();
        try {
            long fd = (long) SYSCALL.invokeExact(state, SYS_PIDFD_OPEN, pid, 0L, 0L, 0L);
            return new PidFd(pid, Linux.check((int) fd, state, "pidfd_open " + pid));
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    public long pid() {
        return pid;
    }

    /// Waits until the process has ended; false after `timeoutMs` (0: only looks).
    public boolean awaitExit(long timeoutMs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(8, 8);
            poll.set(Native.INT, 0, fd);
            poll.set(java.lang.foreign.ValueLayout.JAVA_SHORT, 4, POLLIN);
            return Poll.await(poll, timeoutMs);
        }
    }

    /// False if the process has ended and been reaped.
    public boolean signal(int signal) {
        MemorySegment state = Native.capture();
        try {
            long rc = (long) SYSCALL.invokeExact(state, SYS_PIDFD_SEND_SIGNAL, (long) fd, (long) signal, 0L, 0L);
            if (rc < 0 && Native.errno(state) == Errno.ESRCH) {
                return false;
            }
            Linux.check((int) rc, state, "pidfd_send_signal " + pid + " " + signal);
            return true;
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Linux.close(fd);
        }
    }
}
