package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.RNG;

/// Integer mixing and random numbers of guest programs. SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", OOPSLA 2014), because its whole state is one register.
final class Mix {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    // A prime above every page count, not near a power of two, so that consecutive ranks land far apart.
    private static final long SCATTER = 2_654_435_761L;

    private Mix() {
    }

    static long finish(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    static long mix(long a, long b, long c) {
        return finish(a + b * GOLDEN + c * 0xD1B54A32D192ED03L);
    }

    static long next(long[] r) {
        return finish(r[RNG] += GOLDEN);
    }

    /// Uniform in [0, bound) to within 2^-34 for bounds up to 2^30.
    static long below(long random, long bound) {
        return Math.unsignedMultiplyHigh(random, bound);
    }

    /// Zipf (exponent 1) by octaves: an octave [2^k, 2^(k+1)) of ranks is as likely as any other, ranks inside it are
    /// equally likely. No floating point, whose library functions may differ between JVMs.
    static long zipf(long random, long bound) {
        int octaves = 64 - Long.numberOfLeadingZeros(bound);
        int octave = (int) below(random, octaves);
        long rank = (1L << octave) + (finish(random) & ((1L << octave) - 1));
        // The last octave is cut off by the bound; what falls outside is folded to the whole range.
        long index = rank - 1 < bound ? rank - 1 : (rank - 1) % bound;
        return index * SCATTER % bound;
    }
}
