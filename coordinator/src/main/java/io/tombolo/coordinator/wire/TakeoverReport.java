package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// One takeover of one VM, as the leading coordinator knows it. All clock readings are CLOCK_MONOTONIC of the process
/// that took them, so only those of one machine can be compared; 0 where it has not come to that.
///
/// @param vm              name of the VM
/// @param vmSlot          its slot in the region
/// @param fromHost        the host that owned it
/// @param toHost          the host that takes it over; `""` before one is chosen
/// @param epoch           epoch of the owner word that names `toHost`; 0 before
/// @param phase           WAITING, RECOVERING, RUNNING, PAUSED, LOST or RESTARTED
/// @param reason          error code of why it is lost or what it waits for; `""` when there is none
/// @param text            the same for people, and what to do; `""` when there is none
/// @param inDoubt         owners not confirmed stopped, `host#incarnation`
/// @param suspectedNs     the coordinator found the host gone
/// @param fencedNs        its slot word was no longer LIVE
/// @param begunNs         the new owner held the owner word and had sealed the commit word
/// @param confirmedNs     every owner in doubt was confirmed stopped
/// @param recoveredNs     memory was as at the last commit
/// @param runningNs       the new owner's first slice could begin
/// @param pagesRolledBack pages of the open interval that were pointed back
public record TakeoverReport(String vm, int vmSlot, String fromHost, String toHost, long epoch, String phase,
        String reason, String text, List<String> inDoubt, long suspectedNs, long fencedNs, long begunNs,
        long confirmedNs, long recoveredNs, long runningNs, long pagesRolledBack) {
    public TakeoverReport {
        requireNonNull(vm, "vm is null");
        requireNonNull(fromHost, "fromHost is null");
        requireNonNull(toHost, "toHost is null");
        requireNonNull(phase, "phase is null");
        requireNonNull(reason, "reason is null");
        requireNonNull(text, "text is null");
        inDoubt = List.copyOf(inDoubt);
    }
}
