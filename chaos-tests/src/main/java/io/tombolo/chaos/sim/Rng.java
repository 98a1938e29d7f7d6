package io.tombolo.chaos.sim;

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): the same numbers for
/// a seed in every JDK and on every machine. One thread.
final class Rng {
    private long state;

    Rng(long seed) {
        state = seed;
    }

    long next() {
        state += 0x9E37_79B9_7F4A_7C15L;
        long z = (state ^ state >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
        return z ^ z >>> 31;
    }

    /// 0 to `bound` - 1.
    int below(int bound) {
        return (int) Long.remainderUnsigned(next() >>> 1, bound);
    }

    /// `from` to `to`, both included.
    long between(long from, long to) {
        return from + Long.remainderUnsigned(next() >>> 1, to - from + 1);
    }

    /// True once in `n` times.
    boolean oneIn(int n) {
        return below(n) == 0;
    }

    /// True in `perMille` of 1000 times.
    boolean perMille(int perMille) {
        return perMille > 0 && below(1000) < perMille;
    }

    /// A generator of its own for a part, so that what one part draws does not move the others.
    Rng split() {
        return new Rng(next());
    }
}
