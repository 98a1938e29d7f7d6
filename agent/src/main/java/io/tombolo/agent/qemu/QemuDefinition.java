package io.tombolo.agent.qemu;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/// One guest as QEMU is to run it. Source and target are started from equal definitions; only the directories differ.
///
/// @param memory where guest memory is
/// @param memoryBytes guest memory; a segment file may be longer (its trailer lies behind the guest's bytes)
/// @param runDirectory directory of this agent incarnation, under which each process gets a private one for its sockets
/// @param consoleFile the guest's serial console is appended here
/// @param extraArguments more QEMU arguments, from the closed list that [QemuCommandLine] knows to be safe
public record QemuDefinition(String name, UUID uuid, Memory memory, long memoryBytes, int vcpus, QemuBinary binary,
        Accelerator accelerator, GuestImage image, GuestLoad load, Path runDirectory, Path consoleFile,
        List<String> extraArguments) {
    /// Kernel, initramfs and page tables besides the working set.
    static final long GUEST_OVERHEAD_BYTES = 128L << 20;

    /// Where guest memory is.
    public sealed interface Memory {
        /// A file that is there already, mapped shared from offset 0; its bytes are never sent.
        record SegmentFile(Path file) implements Memory {
        }

        /// Anonymous memory of the process, for comparison with QEMU's own migration.
        record Private() implements Memory {
        }
    }

    public QemuDefinition {
        requireNonNull(uuid, "uuid is null");
        requireNonNull(binary, "binary is null");
        requireNonNull(accelerator, "accelerator is null");
        requireNonNull(image, "image is null");
        requireNonNull(runDirectory, "runDirectory is null");
        requireNonNull(consoleFile, "consoleFile is null");
        extraArguments = List.copyOf(extraArguments);
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
            throw refuse("the name is not 1 to 63 letters, digits, dots, dashes").fact("name", name).build();
        }
        if (vcpus < 1 || vcpus > 64) {
            throw refuse("the number of vCPUs is not in 1..64").fact("vcpus", vcpus).build();
        }
        if (memoryBytes % 4096 != 0 || memoryBytes - GUEST_OVERHEAD_BYTES < load.workingSetBytes()) {
            throw refuse("guest memory is not whole pages or too small for its working set")
                    .fact("memoryBytes", memoryBytes)
                    .fact("needed", load.workingSetBytes() + GUEST_OVERHEAD_BYTES).build();
        }
    }

    /// Looks at the segment file as it is now: QEMU would make a missing or empty one by itself.
    void checkMemory() {
        if (memory instanceof Memory.SegmentFile(Path file)) {
            long found = Files.isRegularFile(file) ? file.toFile().length() : -1;
            if (found < memoryBytes) {
                throw refuse("the segment file is missing or shorter than the guest's memory").fact("file", file)
                        .fact("found", found).fact("expected", memoryBytes).build();
            }
        }
    }

    static TomboloException.Builder refuse(String what) {
        return TomboloException.error(QemuError.QEMU_DEFINITION, what);
    }
}
