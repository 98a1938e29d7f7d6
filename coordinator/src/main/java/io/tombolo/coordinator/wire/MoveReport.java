package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

/// What a migration did to pages besides the hand-off itself; nothing, for [MigrateMode#HANDOFF].
///
/// @param mode          how the memory came over
/// @param pagesToShared pages that left the source's own memory
/// @param pagesToLocal  pages that came into the target's own memory
/// @param bytesMoved    bytes copied by both; of a copy, bytes sent
/// @param toSharedNs    duration of the first, the guest running on the source
/// @param toLocalNs     duration of the second, the guest running on the target; of a copy, of its rounds, the guest
///                      running on the source
/// @param totalNs       from the request until all of it was done
/// @param rounds        rounds of a copy, the last one with the guest stopped included; 0 in other modes
public record MoveReport(MigrateMode mode, long pagesToShared, long pagesToLocal, long bytesMoved, long toSharedNs,
        long toLocalNs, long totalNs, int rounds) {
    public MoveReport {
        requireNonNull(mode, "mode is null");
    }

    /// Of a mode without rounds.
    public MoveReport(MigrateMode mode, long pagesToShared, long pagesToLocal, long bytesMoved, long toSharedNs,
            long toLocalNs, long totalNs) {
        this(mode, pagesToShared, pagesToLocal, bytesMoved, toSharedNs, toLocalNs, totalNs, 0);
    }

    /// Of a hand-off that moved no page.
    public static MoveReport handoff() {
        return new MoveReport(MigrateMode.HANDOFF, 0, 0, 0, 0, 0, 0);
    }
}
