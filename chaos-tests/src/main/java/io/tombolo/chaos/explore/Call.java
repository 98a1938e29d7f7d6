package io.tombolo.chaos.explore;

import java.util.Arrays;

/// One call that a life of [Lives] makes: of the memory port, or to the world around it.
///
/// @param offset where, in the region; of a question: what it is about
/// @param a what is compared, or stored, or where from
/// @param b what is stored, or how many bytes
/// @param bytes what is stored; null if it is a word
record Call(Kind kind, long offset, long a, long b, Bytes bytes) {
    enum Kind {
        /// Of the port.
        LOAD, STORE, CAS, COPY_IN, COPY_OUT, COPY, ZERO,
        /// Waits until somebody wants something of it; the result says what.
        ORDER,
        /// Waits until no owner is in doubt.
        AWAIT,
        /// Any of `a` ways to go on.
        CHOOSE,
        /// Clients are told everything up to here: `bytes`.
        TELL,
        /// [io.tombolo.region.Takeover#begin] has returned `a`.
        BEGUN,
        /// The guest is about to execute here under epoch `a`.
        EXECUTE,
        /// What it goes on with: `bytes`.
        RESUME,
        /// Nothing more comes.
        END,
        /// It has ended by an exception.
        FAILED
    }

    static Call of(Kind kind, long a) {
        return new Call(kind, 0, a, 0, null);
    }

    boolean isStore() {
        return switch (kind) {
            case STORE, CAS, COPY_IN, COPY, ZERO -> true;
            default -> false;
        };
    }

    /// Bytes compared by contents; nobody changes them.
    static final class Bytes {
        private final byte[] all;

        Bytes(byte[] all) {
            this.all = all;
        }

        byte[] all() {
            return all;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Bytes other && Arrays.equals(all, other.all);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(all);
        }
    }
}
