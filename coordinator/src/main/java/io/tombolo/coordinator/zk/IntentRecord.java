package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

/// One hand-off under way.
///
/// @param vm       name of the VM
/// @param vmSlot   its slot
/// @param from     source host
/// @param fromSlot its slot
/// @param to       target host
/// @param toSlot   its slot
/// @param epoch    epoch of the owner word at which the source runs
/// @param term     term of the coordinator that opened it
/// @param seq      sequence number, never used again in this tree
/// @param nonce    what the target stores into its echo word
public record IntentRecord(String vm, int vmSlot, String from, int fromSlot, String to, int toSlot, long epoch,
        long term, long seq, long nonce) {
    public IntentRecord {
        requireNonNull(vm, "vm is null");
        requireNonNull(from, "from is null");
        requireNonNull(to, "to is null");
    }
}
