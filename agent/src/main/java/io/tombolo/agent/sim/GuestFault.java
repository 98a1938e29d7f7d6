package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

/// A guest did something that its virtual hardware refuses. It ends the run of that VM, with the reason in the
/// registers, and nothing else: never the agent, never the JVM.
public final class GuestFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// What the guest did; the code is stored in a register, so it never changes.
    public enum Kind {
        /// Access at or beyond the end of guest memory, or below zero.
        OUT_OF_RANGE(1),
        /// Access that is not 8-byte aligned.
        MISALIGNED(2),
        /// The page is not present and nobody is there who could make it so.
        NOT_PRESENT(3),
        /// The page-table entry names a frame outside the data area.
        BAD_FRAME(4),
        /// The page of a protected VM was to be written, and the region has no frame for it.
        NO_FRAME(5);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        public int code() {
            return code;
        }
    }

    private final Kind kind;
    private final long gpa;

    public GuestFault(Kind kind, long gpa, String what) {
        super("guest fault " + requireNonNull(kind, "kind is null") + " at gpa 0x" + Long.toHexString(gpa) + ": "
                + what);
        this.kind = kind;
        this.gpa = gpa;
    }

    public Kind kind() {
        return kind;
    }

    /// Guest physical address of the access.
    public long gpa() {
        return gpa;
    }
}
