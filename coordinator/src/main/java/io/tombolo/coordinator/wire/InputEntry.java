package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// One client operation as the guest took it in: replaying all entries at their instruction counts gives the same
/// memory.
///
/// @param vcpu         the vCPU that took it
/// @param instructions that vCPU's instruction count when it took it
/// @param clientId     who asked
/// @param seq          the client's own sequence number
/// @param op           operation of the guest program
/// @param args         its arguments
public record InputEntry(int vcpu, long instructions, long clientId, long seq, String op, List<Long> args) {
    public InputEntry {
        requireNonNull(op, "op is null");
        args = List.copyOf(args);
    }
}
