package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// What a guest says of itself.
///
/// @param running whether vCPUs execute
/// @param instructions instructions executed by each vCPU, empty when the driver cannot tell
/// @param checks self-checks the guest made, -1 when the driver cannot tell
/// @param errors self-checks that failed, -1 when the driver cannot tell
/// @param failed whether the guest stopped by a fault of its own and cannot go on
/// @param note one line for a person, may be empty
/// @param protection how it is protected
public record GuestFacts(boolean running, List<Long> instructions, long checks, long errors, boolean failed,
        String note, ProtectionFacts protection) {
    public GuestFacts {
        instructions = List.copyOf(instructions);
        requireNonNull(protection, "protection is null");
    }

    /// Of a guest that is not protected.
    public GuestFacts(boolean running, List<Long> instructions, long checks, long errors, boolean failed,
            String note) {
        this(running, instructions, checks, errors, failed, note, ProtectionFacts.NONE);
    }
}
