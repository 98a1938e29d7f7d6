package io.tombolo.region;

/// Range checks for the word codecs: a field that does not fit is a programming error, never cut off.
final class Bits {
    private Bits() {
    }

    static long checked(long value, int bits, String field) {
        if (value < 0 || (bits < 63 && value >>> bits != 0)) {
            throw new IllegalArgumentException(field + " does not fit in " + bits + " bits: " + value);
        }
        return value;
    }
}
