package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import java.util.Map;

/// Evidence that a process and everything in its kill group has stopped. Times are CLOCK_BOOTTIME in ns.
///
/// @param process name of the process
/// @param start which start of it, from 1
/// @param pid its main process
/// @param declared what the process said of itself (`X_TOMBOLO_…`), among it the slot and incarnation it took
/// @param exitStatus of the main process; 128 + n after signal n
/// @param lastCheckedNs time of the oldest check in the last pet, 0 without one
/// @param dueNs when the watchdog ran out, Long.MAX_VALUE if nobody watched
/// @param killSentNs when the first SIGKILL to the group was sent
/// @param confirmedStoppedNs when the group was seen empty; no instruction of it ran later
public record StopRecord(String process, int start, long pid, StopReason reason, Map<String, String> declared,
        int exitStatus, long lastCheckedNs, long dueNs, long killSentNs, long confirmedStoppedNs) {
    public StopRecord {
        requireNonNull(process, "process is null");
        requireNonNull(reason, "reason is null");
        declared = Map.copyOf(declared);
    }

    /// SIGKILL to confirmed: what the bound calls Kr.
    public long killToReapedNs() {
        return confirmedStoppedNs - killSentNs;
    }
}
