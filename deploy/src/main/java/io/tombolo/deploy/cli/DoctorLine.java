package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

/// What `doctor` says about one thing.
///
/// @param check   what was looked at
/// @param verdict whether it will do
/// @param found   what is there
/// @param next    what to do; `""` when there is nothing to do
public record DoctorLine(String check, Verdict verdict, String found, String next) {
    /// Whether it will do.
    public enum Verdict {
        /// It will.
        OK,
        /// Something works less well, or one part of the program does not work.
        WARN,
        /// Nothing works.
        FAIL
    }

    public DoctorLine {
        requireNonNull(check, "check is null");
        requireNonNull(verdict, "verdict is null");
        requireNonNull(found, "found is null");
        requireNonNull(next, "next is null");
    }

    static DoctorLine ok(String check, String found) {
        return new DoctorLine(check, Verdict.OK, found, "");
    }

    static DoctorLine warn(String check, String found, String next) {
        return new DoctorLine(check, Verdict.WARN, found, next);
    }

    static DoctorLine fail(String check, String found, String next) {
        return new DoctorLine(check, Verdict.FAIL, found, next);
    }
}
