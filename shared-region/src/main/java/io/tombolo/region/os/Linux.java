package io.tombolo.region.os;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/// Linux calls of the project. Every failure is an [OsException] with the errno's name. Thread safe. Needs
/// `--enable-native-access=ALL-UNNAMED` (or the module's name); without it the first call says so.
public final class Linux {
    public static final int SIGTERM = 15;
    public static final int SIGKILL = 9;
    public static final int SIGSTOP = 19;
    public static final int SIGCONT = 18;
    public static final int MADV_HUGEPAGE = 14;
    public static final int MADV_POPULATE_READ = 22;
    public static final int MADV_POPULATE_WRITE = 23;
    /// `f_type` of a tmpfs, hugetlbfs and ramfs.
    public static final long TMPFS_MAGIC = 0x01021994L;
    public static final long HUGETLBFS_MAGIC = 0x958458f6L;
    public static final long RAMFS_MAGIC = 0x858458f6L;

    private static final int CLOCK_MONOTONIC = 1;
    private static final int CLOCK_BOOTTIME = 7;
    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int PR_SET_PDEATHSIG = 1;
    private static final int PR_SET_CHILD_SUBREAPER = 36;
    private static final int PR_SET_TIMERSLACK = 29;
    private static final int CPU_SET_BYTES = 128;

    private static final MethodHandle OPEN = Native.variadic("open", 2, Native.INT, Native.POINTER, Native.INT,
            Native.INT);
    private static final MethodHandle CLOSE = Native.function("close", Native.INT, Native.INT);
    private static final MethodHandle FALLOCATE = Native.function("fallocate", Native.INT, Native.INT, Native.INT,
            Native.LONG,
            Native.LONG);
    private static final MethodHandle MADVISE = Native.function("madvise", Native.INT, Native.POINTER, Native.LONG,
            Native.INT);
    private static final MethodHandle CLOCK_GETTIME = Native.critical("clock_gettime", Native.INT, Native.INT,
            Native.POINTER);
    private static final MethodHandle RAISE = Native.function("raise", Native.INT, Native.INT);
    private static final MethodHandle KILL = Native.function("kill", Native.INT, Native.INT, Native.INT);
    private static final MethodHandle PRCTL = Native.variadic("prctl", 1, Native.INT, Native.INT, Native.LONG,
            Native.LONG,
            Native.LONG, Native.LONG);
    private static final MethodHandle SETAFFINITY = Native.function("sched_setaffinity", Native.INT, Native.INT,
            Native.LONG,
            Native.POINTER);
    private static final MethodHandle GETAFFINITY = Native.function("sched_getaffinity", Native.INT, Native.INT,
            Native.LONG,
            Native.POINTER);
    private static final MethodHandle STATFS = Native.function("statfs", Native.INT, Native.POINTER, Native.POINTER);
    private static final MethodHandle GETPGID = Native.function("getpgid", Native.INT, Native.INT);
    private static final MethodHandle SETPGID = Native.function("setpgid", Native.INT, Native.INT, Native.INT);
    private static final MethodHandle GETTID = Native.function("gettid", Native.INT);
    private static final ThreadLocal<MemorySegment> TIMESPEC = ThreadLocal
            .withInitial(() -> Arena.ofAuto().allocate(16, 8));

    private Linux() {
    }

    /// Nanoseconds of CLOCK_BOOTTIME: counts while the machine is suspended. No allocation after a thread's first call.
    public static long clockBoottimeNs() {
        return clockNs(CLOCK_BOOTTIME);
    }

    /// Nanoseconds of CLOCK_MONOTONIC: stands still while the machine is suspended.
    public static long clockMonotonicNs() {
        return clockNs(CLOCK_MONOTONIC);
    }

    private static long clockNs(int clock) {
        MemorySegment time = TIMESPEC.get();
        try {
            int rc = (int) CLOCK_GETTIME.invokeExact(clock, time);
            if (rc != 0) {
                throw new IllegalStateException("the kernel has no clock " + clock);
            }
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
        return time.get(Native.LONG, 0) * 1_000_000_000L + time.get(Native.LONG, 8);
    }

    /// Takes room for a range of a file, zeroed where it was not there before; the file grows if needed. ENOSPC if
    /// there is none.
    public static void fallocate(Path file, long offset, long length) {
        MemorySegment state = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            int fd = check((int) OPEN.invokeExact(state, arena.allocateFrom(file.toString()), O_RDWR | O_CLOEXEC, 0),
                    state,
                    "open " + file);
            try {
                int rc;
                do {
                    rc = (int) FALLOCATE.invokeExact(state, fd, 0, offset, length);
                } while (rc < 0 && Native.errno(state) == Errno.EINTR);
                check(rc, state, "fallocate " + file + " " + length);
            } finally {
                close(fd);
            }
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Advises the kernel about a mapped range; the address is rounded down to a page and the length up.
    public static void madvise(MemorySegment range, int advice) {
        long start = range.address() & -4096L;
        long length = range.address() + range.byteSize() - start;
        MemorySegment state = Native.capture();
        try {
            int rc;
            do {
                rc = (int) MADVISE.invokeExact(state, MemorySegment.ofAddress(start), length, advice);
            } while (rc < 0 && Native.errno(state) == Errno.EINTR);
            check(rc, state, "madvise " + advice);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// kill(2) of one process; false if there is none of that pid. Pids are reused: prefer [PidFd] for a child that may
    /// have ended.
    public static boolean kill(long pid, int signal) {
        if (pid <= 1) {
            throw new IllegalArgumentException("not a process to signal: pid " + pid);
        }
        return signal((int) pid, signal, "kill " + pid + " " + signal);
    }

    /// raise(3): a signal to the calling thread, which has taken effect when this returns. A stop signal stops the
    /// whole process, and this thread certainly, before it goes on; kill(2) of the own process may stop it a moment
    /// later.
    public static void raise(int signal) {
        MemorySegment state = Native.capture();
        try {
            check((int) RAISE.invokeExact(state, signal), state, "raise " + signal);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// kill(2) of a process group; false if it is empty.
    public static boolean killGroup(long pgid, int signal) {
        if (pgid <= 1) {
            throw new IllegalArgumentException("not a process group to signal: pgid " + pgid);
        }
        return signal((int) -pgid, signal, "kill -" + pgid + " " + signal);
    }

    private static boolean signal(int target, int signal, String call) {
        MemorySegment state = Native.capture();
        try {
            int rc = (int) KILL.invokeExact(state, target, signal);
            if (rc < 0 && Native.errno(state) == Errno.ESRCH) {
                return false;
            }
            check(rc, state, call);
            return true;
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Process group of a process, or -1 if there is no such process.
    public static long processGroup(long pid) {
        MemorySegment state = Native.capture();
        try {
            int rc = (int) GETPGID.invokeExact(state, (int) pid);
            if (rc < 0 && Native.errno(state) == Errno.ESRCH) {
                return -1;
            }
            return check(rc, state, "getpgid " + pid);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Moves a process (0 for this one) into a process group (0 for one of its own).
    public static void setProcessGroup(long pid, long pgid) {
        MemorySegment state = Native.capture();
        try {
            check((int) SETPGID.invokeExact(state, (int) pid, (int) pgid), state, "setpgid " + pid + " " + pgid);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Kernel id of the calling thread.
    public static int threadId() {
        MemorySegment state = Native.capture();
        try {
            return (int) GETTID.invokeExact(state);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Opens a pidfd; see [PidFd].
    public static PidFd pidfdOpen(long pid) {
        return PidFd.open(pid);
    }

    /// Signal that this process gets when the thread that started it ends. A helper only: it is tied to the parent's
    /// thread.
    public static void setParentDeathSignal(int signal) {
        prctl(PR_SET_PDEATHSIG, signal, "prctl PR_SET_PDEATHSIG");
    }

    /// Orphans of this process's descendants become its children.
    public static void setChildSubreaper(boolean on) {
        prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0, "prctl PR_SET_CHILD_SUBREAPER");
    }

    /// PR_SET_TIMERSLACK of prctl(2): by how much the calling thread's timed waits may be late, 50 us unless told.
    public static void setTimerSlack(long slackNs) {
        prctl(PR_SET_TIMERSLACK, slackNs, "prctl PR_SET_TIMERSLACK");
    }

    private static void prctl(int option, long argument, String call) {
        MemorySegment state = Native.capture();
        try {
            check((int) PRCTL.invokeExact(state, option, argument, 0L, 0L, 0L), state, call);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Binds a thread (0: the calling one) to these CPUs.
    public static void schedSetaffinity(int threadId, int... cpus) {
        MemorySegment state = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(CPU_SET_BYTES, 8);
            for (int cpu : cpus) {
                long at = cpu / 64 * 8L;
                set.set(Native.LONG, at, set.get(Native.LONG, at) | 1L << cpu % 64);
            }
            check((int) SETAFFINITY.invokeExact(state, threadId, (long) CPU_SET_BYTES, set), state,
                    "sched_setaffinity " + threadId);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// CPUs on which a thread (0: the calling one) may run.
    public static int[] schedGetaffinity(int threadId) {
        MemorySegment state = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(CPU_SET_BYTES, 8);
            check((int) GETAFFINITY.invokeExact(state, threadId, (long) CPU_SET_BYTES, set), state,
                    "sched_getaffinity " + threadId);
            return java.util.stream.IntStream.range(0, CPU_SET_BYTES * 8)
                    .filter(cpu -> (set.get(Native.LONG, cpu / 64 * 8L) >>> cpu % 64 & 1) != 0).toArray();
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// `f_type` of the file system that holds the path.
    public static long fileSystemType(Path path) {
        MemorySegment state = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statfs = arena.allocate(256, 8);
            check((int) STATFS.invokeExact(state, arena.allocateFrom(path.toString()), statfs), state,
                    "statfs " + path);
            return statfs.get(Native.LONG, 0);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Identity of this boot of the kernel.
    public static UUID bootId() {
        try {
            return UUID.fromString(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void close(int fd) {
        MemorySegment state = Native.capture();
        try {
            check((int) CLOSE.invokeExact(state, fd), state, "close");
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    static int check(int rc, MemorySegment state, String call) {
        if (rc < 0) {
            throw new OsException(call, Native.errno(state));
        }
        return rc;
    }
}
