package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.qemu.Accelerator;
import io.tombolo.agent.qemu.GuestImage;
import io.tombolo.agent.qemu.GuestLoad;
import io.tombolo.agent.qemu.QemuBinary;
import io.tombolo.agent.qemu.QemuInstallation;
import io.tombolo.agent.qemu.QemuDefinition;
import io.tombolo.agent.qemu.QemuGuest;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.Region;
import io.tombolo.region.SegmentFiles.Segment;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/// Real Linux guests: each VM is one QEMU process of this agent, its memory a segment file that QEMU maps from offset
/// 0.
public final class QemuHypervisor implements Hypervisor {
    /// The driver's name in a VM definition.
    public static final String NAME = "qemu";
    /// The one guest program of this driver: Linux with the memory checker.
    public static final String PROGRAM = "linux";
    private static final int BEAT_MS = 100;

    /// About the size of a small guest's device state.
    private static final int STATE_BYTES = 64 << 10;
    private static final int WARM_UP_HOPS = 500;

    private final Region region;
    private final int hostSlot;
    private final QemuBinary binary;
    private final GuestImage image;
    private final Accelerator accelerator;
    private final Path runDirectory;

    private QemuHypervisor(Region region, int hostSlot, QemuBinary binary, GuestImage image, Accelerator accelerator,
            Path runDirectory) {
        this.region = requireNonNull(region, "region is null");
        this.hostSlot = hostSlot;
        this.binary = binary;
        this.image = image;
        this.accelerator = accelerator;
        this.runDirectory = requireNonNull(runDirectory, "runDirectory is null");
    }

    /// Finds QEMU and the guest image, and an accelerator under which a guest makes progress.
    ///
    /// The parameters are those of [QemuInstallation#find].
    public static QemuHypervisor open(Region region, int hostSlot, String binaryName, String acceleratorName,
            String imageCache, Path runDirectory) {
        QemuInstallation found = QemuInstallation.find(binaryName, acceleratorName, imageCache, runDirectory);
        QemuGuest.warmUp(runDirectory);
        try (DryRun publication = DryRun.ofBytes(runDirectory, STATE_BYTES)) {
            publication.run(WARM_UP_HOPS);
        }
        return new QemuHypervisor(region, hostSlot, found.binary(), found.image(), found.accelerator(), runDirectory);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void check(VmSpec spec) {
        if (!spec.program().equals(PROGRAM)) {
            throw TomboloException.error(GuestError.GUEST_PROGRAM_UNKNOWN, "the qemu driver runs Linux only")
                    .fact("program", spec.program()).next("use --guest linux, or the simulated driver").build();
        }
        // The definition's own constructor refuses what QEMU cannot run.
        definition(spec, new QemuDefinition.Memory.Private());
    }

    @Override
    public VmIdentity allocate(VmSpec spec, int vmSlot) {
        UUID segment = UUID.randomUUID();
        region.segments().create(segment, spec.uuid(), spec.memoryBytes());
        return VmMemory.populate(region, region.allocator(hostSlot), region.vm(vmSlot),
                VmIdentity.segment(spec.uuid(), spec.name(), spec.memoryBytes(), spec.vcpus(), NAME, segment));
    }

    @Override
    public void release(int vmSlot) {
        VmIdentity identity = region.vm(vmSlot).readIdentity();
        region.segments().delete(identity.segmentUuid());
        VmMemory.release(region, region.vm(vmSlot));
    }

    @Override
    public Guest boot(GuestContext context) {
        return new QemuVm(context, QemuGuest.launch(definition(context)), console(context.spec()));
    }

    @Override
    public IncomingGuest prepare(GuestContext context, IncomingPort port) {
        return new QemuVm(context, QemuGuest.prelaunch(definition(context)), console(context.spec())).await(port);
    }

    private QemuDefinition definition(GuestContext context) {
        // Checked at every start: a segment that was copied, truncated or made anew is refused before QEMU maps it.
        Segment segment = region.segments().open(context.identity().segmentUuid(), context.identity().memoryBytes());
        return definition(context.spec(), new QemuDefinition.Memory.SegmentFile(segment.path()));
    }

    private QemuDefinition definition(VmSpec spec, QemuDefinition.Memory memory) {
        GuestLoad load = new GuestLoad(spec.workingSetBytes(), spec.pattern(), spec.seed(), spec.vcpus(), BEAT_MS);
        return new QemuDefinition(spec.name(), spec.uuid(), memory, spec.memoryBytes(), spec.vcpus(), binary,
                accelerator,
                image, load, runDirectory, console(spec), List.of());
    }

    private Path console(VmSpec spec) {
        return runDirectory.resolve(spec.name() + ".console");
    }

    @Override
    public void close() {
        // Guests are killed one by one by those who host them; the driver itself runs nothing.
    }
}
