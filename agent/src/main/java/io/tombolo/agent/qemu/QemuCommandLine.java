package io.tombolo.agent.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Builds QEMU's arguments, and refuses a definition that could write guest memory it does not own or that cannot move.
///
/// The target must not touch guest memory before it owns it. Hence no preallocation (a read-modify-write of every
/// page), discard-data off (on, a quitting target punches the memory away), no device that gives memory back
/// (virtio-balloon with free page reporting, virtio-mem) and none that brings memory of its own (DIMMs, NVDIMM,
/// virtio-pmem) or state outside QEMU (vfio, vhost-user).
final class QemuCommandLine {
    /// How the process comes to its guest.
    enum Role {
        /// Boots, stopped before the first instruction.
        BOOT,
        /// Waits for state, and for `cont` after it.
        INCOMING,
        /// Waits for state and runs by itself after it: QEMU's own way, for comparison only.
        INCOMING_AUTOSTART
    }

    /// What a guest of this driver does without would cost device state at each hop. So would SeaBIOS, which is 256 KiB
    /// of memory that is not shared; qboot is 64 KiB and boots Linux only. Together 1.2 ms of downtime instead of 2.2
    /// ms.
    private static final String MACHINE = "q35,suppress-vmdesc=on,sata=off,smbus=off,usb=off,vmport=off,i8042=off,smm=off,"
            + "graphics=off,memory-backend=mem";

    private static final String FIRMWARE = "qboot.rom";

    private static final Set<String> SAFE_DEVICES = Set.of("virtio-rng-pci", "virtio-net-pci", "virtio-blk-pci",
            "pvpanic", "isa-debugcon", "pcie-root-port");
    private static final Set<String> SAFE_OPTIONS = Set.of("-device", "-netdev", "-object", "-chardev", "-cpu");
    private static final Set<String> SAFE_OBJECTS = Set.of("rng-random", "rng-builtin", "iothread");

    private QemuCommandLine() {
    }

    static List<String> build(QemuDefinition definition, Role role, Path qmpSocket) {
        checkExtra(definition.extraArguments());
        String mebibytes = definition.memoryBytes() / 1024 + "K";
        List<String> line = new ArrayList<>(List.of(definition.binary().path().toString(),
                "-name", "guest=" + definition.name(), "-uuid", definition.uuid().toString(),
                // With its vapic QEMU patches guest memory when it loads a state.
                "-global", "apic-common.vapic=off", "-bios", FIRMWARE,
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-machine", MACHINE, "-accel", definition.accelerator().option(),
                "-cpu", definition.accelerator().cpu(), "-smp", Integer.toString(definition.vcpus()),
                "-m", mebibytes, "-object", memoryBackend(definition, mebibytes),
                "-kernel", plain(definition.image().kernel()), "-initrd", plain(definition.image().initramfs()),
                "-append", "console=ttyS0 quiet panic=-1 " + definition.load().kernelArguments(),
                "-chardev", "file,id=console,append=on,path=" + plain(definition.consoleFile()),
                "-device", "isa-serial,chardev=console",
                "-chardev", "socket,id=qmp,path=" + plain(qmpSocket), "-mon", "chardev=qmp,mode=control"));
        switch (role) {
            case BOOT -> line.add("-S");
            case INCOMING -> line.addAll(List.of("-S", "-incoming", "defer"));
            case INCOMING_AUTOSTART -> line.addAll(List.of("-incoming", "defer"));
        }
        line.addAll(definition.extraArguments());
        return line;
    }

    private static String memoryBackend(QemuDefinition definition, String size) {
        return switch (definition.memory()) {
            case QemuDefinition.Memory.SegmentFile(Path file) -> "memory-backend-file,id=mem,share=on,prealloc=off,"
                    + "discard-data=off,merge=off,dump=off,size=" + size + ",mem-path=" + plain(file);
            case QemuDefinition.Memory.Private() -> "memory-backend-ram,id=mem,prealloc=off,merge=off,size=" + size;
        };
    }

    /// QEMU's option syntax doubles commas; a path with one is refused instead, so that nothing of it is ever an
    /// option.
    private static String plain(Path path) {
        String text = path.toAbsolutePath().toString();
        if (text.indexOf(',') >= 0) {
            throw QemuDefinition.refuse("a path with a comma cannot be given to QEMU").fact("path", text).build();
        }
        return text;
    }

    private static void checkExtra(List<String> extra) {
        for (int i = 0; i < extra.size(); i += 2) {
            String option = extra.get(i);
            if (!SAFE_OPTIONS.contains(option) || i + 1 == extra.size()) {
                throw unsafe("an extra QEMU argument is not on the list of safe ones", option);
            }
            String value = extra.get(i + 1);
            String kind = value.split(",", 2)[0];
            if ((option.equals("-device") && !SAFE_DEVICES.contains(kind))
                    || (option.equals("-object") && !SAFE_OBJECTS.contains(kind))) {
                throw unsafe("an extra QEMU device or object is not on the list of safe ones", value);
            }
            if (value.contains("free-page-reporting") || value.contains("prealloc") || value.contains("discard-data")) {
                throw unsafe("an extra QEMU argument could change guest memory on a host that does not own it", value);
            }
        }
    }

    private static RuntimeException unsafe(String what, String argument) {
        return QemuDefinition.refuse(what).fact("argument", argument)
                .next("remove it: memory of a moving guest must not be preallocated, given back or extended").build();
    }
}
