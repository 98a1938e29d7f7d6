package io.tombolo.chaos.rules.planted;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;

/// What the package rules must find. Never run.
public final class PlantedBreaches {
    private PlantedBreaches() {
    }

    /// Copies memory outside the classes that may.
    public static final class Copier {
        private Copier() {
        }

        static void copy(MemorySegment from, MemorySegment to) {
            to.copyFrom(from);
        }
    }

    /// Reads the wall clock.
    public static final class WallClock {
        private WallClock() {
        }

        static long now() {
            return System.currentTimeMillis();
        }
    }

    /// Calls native code.
    public static final class NativeCaller {
        private NativeCaller() {
        }

        static Linker linker() {
            return Linker.nativeLinker();
        }
    }

    /// Throws anything.
    public static final class ThrowsAnything {
        private ThrowsAnything() {
        }

        /// Says nothing about what goes wrong.
        public static void run(boolean fails) throws Exception {
            if (fails) {
                throw new java.io.IOException("planted");
            }
        }
    }
}
