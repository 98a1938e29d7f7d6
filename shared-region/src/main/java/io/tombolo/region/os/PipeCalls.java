package io.tombolo.region.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The system calls of a ping-pong over named pipes, with nothing of the Java library between: the context-switch
/// baseline must not be made slower, and so easier to beat, by the locks and buffers of a channel. See fifo(7),
/// pipe(7).
///
/// Every call blocks like the system call it is and throws [OsException] when that fails. Any thread may call.
public final class PipeCalls {
    private static final int O_RDONLY = 0;
    private static final int O_WRONLY = 1;
    private static final int O_CLOEXEC = 0x80000;
    private static final int OWNER_ONLY = 0600;

    private static final MethodHandle OPEN = Native.variadic("open", 2, Native.INT, Native.POINTER, Native.INT,
            Native.INT);
    private static final MethodHandle MKFIFO = Native.function("mkfifo", Native.INT, Native.POINTER, Native.INT);
    private static final MethodHandle READ = Native.function("read", Native.LONG, Native.INT, Native.POINTER,
            Native.LONG);
    private static final MethodHandle WRITE = Native.function("write", Native.LONG, Native.INT, Native.POINTER,
            Native.LONG);

    private PipeCalls() {
    }

    /// Creates a named pipe that only this user can open.
    public static void makeFifo(Path path) {
        MemorySegment state = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            check((int) MKFIFO.invokeExact(state, arena.allocateFrom(path.toString()), OWNER_ONLY), state,
                    "mkfifo " + path);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// Opens a named pipe for reading; returns when a writer has opened it too.
    public static int openForReading(Path path) {
        return open(path, O_RDONLY);
    }

    /// Opens a named pipe for writing; returns when a reader has opened it too.
    public static int openForWriting(Path path) {
        return open(path, O_WRONLY);
    }

    /// read(2): the number of bytes read, 0 at the end. Allocates nothing.
    public static long read(int fd, MemorySegment into, long bytes) {
        MemorySegment state = Native.capture();
        try {
            return check((long) READ.invokeExact(state, fd, into, bytes), state, "read");
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// write(2): the number of bytes written. Allocates nothing.
    public static long write(int fd, MemorySegment from, long bytes) {
        MemorySegment state = Native.capture();
        try {
            return check((long) WRITE.invokeExact(state, fd, from, bytes), state, "write");
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    private static int open(Path path, int flags) {
        MemorySegment state = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            return (int) check(
                    (int) OPEN.invokeExact(state, arena.allocateFrom(path.toString()), flags | O_CLOEXEC, 0), state,
                    "open " + path);
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    private static long check(long result, MemorySegment state, String call) {
        if (result < 0) {
            throw new OsException(call, Native.errno(state));
        }
        return result;
    }
}
