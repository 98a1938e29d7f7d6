package io.tombolo.region.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/// Both ends of the sd_notify protocol: an AF_UNIX datagram socket whose name is a path, or `@name` in the abstract
/// name space. The receiving end gets the sender's pid from the kernel, so that a supervisor can tell its agent's pets
/// from anybody else's.
///
/// Close it once; other calls are thread safe for sending and for one receiving thread.
public final class NotifySocket implements AutoCloseable {
    /// Greatest datagram that is sent or received.
    public static final int DATAGRAM_BYTES_MAX = 4096;

    /// One datagram and the process that sent it.
    public record Datagram(String text, long pid) {
    }

    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PASSCRED = 16;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SCM_CREDENTIALS = 2;
    private static final int SUN_PATH_BYTES = 108;
    private static final int CONTROL_BYTES = 256;

    private static final MethodHandle SOCKET = Native.function("socket", Native.INT, Native.INT, Native.INT,
            Native.INT);
    private static final MethodHandle BIND = Native.function("bind", Native.INT, Native.INT, Native.POINTER,
            Native.INT);
    private static final MethodHandle SENDTO = Native.function("sendto", Native.LONG, Native.INT, Native.POINTER,
            Native.LONG,
            Native.INT, Native.POINTER, Native.INT);
    private static final MethodHandle RECVMSG = Native.function("recvmsg", Native.LONG, Native.INT, Native.POINTER,
            Native.INT);
    private static final MethodHandle SETSOCKOPT = Native.function("setsockopt", Native.INT, Native.INT, Native.INT,
            Native.INT,
            Native.POINTER, Native.INT);

    private final String name;
    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment address;
    private final int addressBytes;
    private final boolean bound;
    private boolean closed;

    private NotifySocket(String name, boolean bind) {
        this.name = name;
        this.bound = bind;
        byte[] path = name.getBytes(StandardCharsets.UTF_8);
        if (path.length == 0 || path.length >= SUN_PATH_BYTES) {
            throw new IllegalArgumentException("a socket name has 1 to " + (SUN_PATH_BYTES - 1) + " bytes: " + name);
        }
        boolean anonymous = path[0] == '@';
        if (anonymous) {
            path[0] = 0;
        }
        address = arena.allocate(2 + SUN_PATH_BYTES, 8);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, 2, path.length);
        addressBytes = 2 + path.length + (anonymous ? 0 : 1);
        fd = open(bind);
    }

    private int open(boolean bind) {
        MemorySegment state = Native.capture();
        int socket = -1;
        boolean ready = false;
        try {
            socket = Linux.check((int) SOCKET.invokeExact(state, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                    state,
                    "socket");
            if (bind) {
                MemorySegment one = arena.allocate(4, 4);
                one.set(Native.INT, 0, 1);
                Linux.check((int) SETSOCKOPT.invokeExact(state, socket, SOL_SOCKET, SO_PASSCRED, one, 4), state,
                        "setsockopt SO_PASSCRED");
                Linux.check((int) BIND.invokeExact(state, socket, address, addressBytes), state, "bind " + name);
            }
            ready = true;
            return socket;
        } catch (Throwable e) {
            throw Native.unexpected(e);
        } finally {
            if (!ready) {
                if (socket >= 0) {
                    Linux.close(socket);
                }
                arena.close();
            }
        }
    }

    /// The receiving end. EADDRINUSE if the name exists; a path is removed by whoever made it.
    public static NotifySocket bind(String name) {
        return new NotifySocket(name, true);
    }

    /// A sending end, for example to the value of NOTIFY_SOCKET. Nothing is connected: a receiver that comes back is
    /// reached again.
    public static NotifySocket sender(String name) {
        return new NotifySocket(name, false);
    }

    public String name() {
        return name;
    }

    /// Sends one datagram without waiting. False if nobody is bound to the name (ECONNREFUSED, ENOENT) or its queue is
    /// full (EAGAIN).
    public boolean send(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > DATAGRAM_BYTES_MAX) {
            throw new IllegalArgumentException("datagram of " + utf8.length + " bytes, at most " + DATAGRAM_BYTES_MAX);
        }
        MemorySegment state = Native.capture();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(Math.max(utf8.length, 1));
            MemorySegment.copy(utf8, 0, bytes, ValueLayout.JAVA_BYTE, 0, utf8.length);
            long rc = (long) SENDTO.invokeExact(state, fd, bytes, (long) utf8.length, MSG_DONTWAIT | MSG_NOSIGNAL,
                    address,
                    addressBytes);
            if (rc >= 0) {
                return true;
            }
            return switch (Native.errno(state)) {
                case Errno.ECONNREFUSED, Errno.ENOENT, Errno.EAGAIN, Errno.ENOBUFS -> false;
                default -> throw new OsException("sendto " + name, Native.errno(state));
            };
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    /// The next datagram, or null after `timeoutMs` (0: only looks).
    public Datagram receive(long timeoutMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment poll = call.allocate(8, 8);
            poll.set(Native.INT, 0, fd);
            poll.set(ValueLayout.JAVA_SHORT, 4, (short) 1);
            if (!Poll.await(poll, timeoutMs)) {
                return null;
            }
            return receiveNow(call);
        }
    }

    private Datagram receiveNow(Arena call) {
        MemorySegment bytes = call.allocate(DATAGRAM_BYTES_MAX);
        MemorySegment control = call.allocate(CONTROL_BYTES, 8);
        MemorySegment vector = call.allocate(16, 8);
        vector.set(ValueLayout.ADDRESS, 0, bytes);
        vector.set(Native.LONG, 8, DATAGRAM_BYTES_MAX);
        // struct msghdr on 64 bits: name 8, namelen 4 + 4, iov 8, iovlen 8, control 8, controllen 8, flags 4 + 4.
        MemorySegment message = call.allocate(56, 8);
        message.set(ValueLayout.ADDRESS, 16, vector);
        message.set(Native.LONG, 24, 1L);
        message.set(ValueLayout.ADDRESS, 32, control);
        message.set(Native.LONG, 40, CONTROL_BYTES);
        MemorySegment state = Native.capture();
        try {
            long count = (long) RECVMSG.invokeExact(state, fd, message, MSG_DONTWAIT);
            if (count < 0) {
                if (Native.errno(state) == Errno.EAGAIN || Native.errno(state) == Errno.EINTR) {
                    return null;
                }
                throw new OsException("recvmsg " + name, Native.errno(state));
            }
            byte[] utf8 = bytes.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
            return new Datagram(new String(utf8, StandardCharsets.UTF_8), pid(message, control));
        } catch (Throwable e) {
            throw Native.unexpected(e);
        }
    }

    private static long pid(MemorySegment message, MemorySegment control) {
        boolean credentials = message.get(Native.LONG, 40) >= 28 && control.get(Native.INT, 8) == SOL_SOCKET
                && control.get(Native.INT, 12) == SCM_CREDENTIALS;
        return credentials ? control.get(Native.INT, 16) : -1;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        Linux.close(fd);
        arena.close();
        if (bound && !name.startsWith("@")) {
            java.nio.file.Path.of(name).toFile().delete();
        }
    }
}
