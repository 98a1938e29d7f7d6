package io.tombolo.region.os;

/// A system call failed. Keeps the call and the errno, by number and by name.
public final class OsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    public OsException(String call, int errno) {
        super(call + ": " + Errno.name(errno));
        this.call = call;
        this.errno = errno;
    }

    /// The call with its arguments, as far as they help.
    public String call() {
        return call;
    }

    public int errno() {
        return errno;
    }

    /// `ENOSPC`, or `errno 123` for one without a name here.
    public String errnoName() {
        return Errno.name(errno);
    }
}
