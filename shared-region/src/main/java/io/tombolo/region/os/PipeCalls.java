package io.tombolo.region.os;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The system calls of a ping-pong over named pipes, with nothing of the Java library between: the context-switch baseline
/// must not be made slower, and so easier to beat, by the locks and buffers of a channel. See fifo(7), pipe(7).
///
/// Every call blocks like the system call it is. Any thread may call.
public final class PipeCalls {
    private static final int O_WRONLY = 1;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN = handle("open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle MKFIFO = handle("mkfifo",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle READ = handle("read", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle WRITE = handle("write", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle SCHED_SETAFFINITY = handle("sched_setaffinity", FunctionDescriptor
            .of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    private static final long CPU_SET_BYTES = 128;

    private PipeCalls() {
    }

    /// Creates a named pipe that only this user can open.
    ///
    /// @throws IOException if the path exists or its directory cannot be written
    public static void makeFifo(Path path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            if ((int) MKFIFO.invokeExact(arena.allocateFrom(path.toString()), 0600) != 0) {
                throw new IOException("mkfifo failed: " + path);
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("mkfifo: downcall failed", e);
        }
    }

    /// Opens a named pipe for reading; returns when a writer has opened it too.
    public static int openForReading(Path path) throws IOException {
        return open(path, 0);
    }

    /// Opens a named pipe for writing; returns when a reader has opened it too.
    public static int openForWriting(Path path) throws IOException {
        return open(path, O_WRONLY);
    }

    /// read(2); the number of bytes read, 0 at the end, -1 on failure. Allocates nothing.
    public static long read(int fd, MemorySegment into, long bytes) {
        try {
            return (long) READ.invokeExact(fd, into, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException("read: downcall failed", e);
        }
    }

    /// write(2); the number of bytes written, -1 on failure. Allocates nothing.
    public static long write(int fd, MemorySegment from, long bytes) {
        try {
            return (long) WRITE.invokeExact(fd, from, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException("write: downcall failed", e);
        }
    }

    /// Keeps the calling platform thread on one CPU from now on; false if the kernel refuses.
    public static boolean pinCallingThread(int cpu) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(CPU_SET_BYTES, 8);
            set.set(ValueLayout.JAVA_LONG, cpu / 64 * 8L, 1L << (cpu % 64));
            return (int) SCHED_SETAFFINITY.invokeExact(0, CPU_SET_BYTES, set) == 0;
        } catch (Throwable e) {
            throw new IllegalStateException("sched_setaffinity: downcall failed", e);
        }
    }

    private static int open(Path path, int flags) throws IOException {
        int fd;
        try (Arena arena = Arena.ofConfined()) {
            fd = (int) OPEN.invokeExact(arena.allocateFrom(path.toString()), flags);
        } catch (Throwable e) {
            throw new IllegalStateException("open: downcall failed", e);
        }
        if (fd < 0) {
            throw new IOException("open failed: " + path);
        }
        return fd;
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().find(name)
                        .orElseThrow(() -> new IllegalStateException("no symbol " + name + " in the C library")),
                descriptor);
    }
}
