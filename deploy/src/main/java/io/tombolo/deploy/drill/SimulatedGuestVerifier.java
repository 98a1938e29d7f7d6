package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.sim.GuestFault;
import io.tombolo.agent.sim.GuestMemory;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.agent.sim.GuestRequest;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.InputLog;
import io.tombolo.agent.sim.MemoryComparison;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.ReferenceRun;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.sim.VcpuRegisters;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.Blob;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// Runs the same guest once more, without moving it, for as many instructions, and compares: all of guest memory byte
/// for byte, and all registers. Reads the region, changes nothing.
///
/// The guest counts what it finds wrong in its own memory in a register; a reference run never finds anything, so an
/// error shows twice.
public final class SimulatedGuestVerifier implements GuestVerifier {
    private static final String METHOD = "byte for byte with a run that never moved";

    private static final long PROGRESS_NS = 10_000_000_000L;
    private static final long LOOK_NS = 1_000_000;

    private final Path scratchDirectory;

    /// Keeps the memory of the reference run in a sparse file of this directory, which must have room for the working
    /// set.
    public SimulatedGuestVerifier(Path scratchDirectory) {
        this.scratchDirectory = requireNonNull(scratchDirectory, "scratchDirectory is null");
    }

    /// A coordinator that cannot tell instruction counts is not waited for.
    @Override
    public void awaitProgress(DrillCluster cluster, VmStatus earlier) {
        String vm = earlier.spec().name();
        long before = sum(earlier);
        long deadlineNs = System.nanoTime() + PROGRESS_NS;
        VmStatus now = cluster.show(vm);
        while (!now.instructions().isEmpty() && sum(now) <= before) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw TomboloException.error(DeployError.GUEST_STANDS_STILL, "the guest executes nothing")
                        .fact("vm", vm).fact("host", now.ownerHost()).fact("state", now.ownerState())
                        .fact("reason", now.reason()).fact("instructions", now.instructions())
                        .next("repeat with --keep and see the logs of tombolo status").build();
            }
            LockSupport.parkNanos(LOOK_NS);
            now = cluster.show(vm);
        }
    }

    private static long sum(VmStatus vm) {
        return vm.instructions().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public Result verify(DrillCluster cluster, VmStatus stopped) {
        GuestSpec spec = SimulatedHypervisor.guestSpec(stopped.spec());
        long[] instructions = stopped.instructions().stream().mapToLong(Long::longValue).toArray();
        List<InputLog.Entry> inputs = cluster.inputLog(stopped.spec().name()).stream()
                .map(SimulatedGuestVerifier::entry).sorted(Comparator.comparingLong(InputLog.Entry::index)).toList();
        try (Region region = Region.open(cluster.region(), OpenOptions.inspect());
                ReferenceRun reference = ReferenceRun.compute(spec, instructions, inputs, scratchDirectory)) {
            VmSlot slot = region.vm(stopped.slot());
            SimulatedState state = state(region, slot, stopped, spec);
            PagedMemory memory = new PagedMemory(spec.memoryBytes(), slot.pageTable().words(), region.data(),
                    (page, entry) -> {
                        throw new GuestFault(GuestFault.Kind.BAD_FRAME, page << GuestMemory.PAGE_SHIFT,
                                "page is not present: entry=0x" + Long.toHexString(entry));
                    });
            MemoryComparison.Result compared = MemoryComparison.compare(memory, reference.memory(), new GuestCopier());
            String registers = reference.registerDifference(state);
            return new Result(compared.identical() && registers.isEmpty(), METHOD,
                    compared.pages() * GuestMemory.PAGE_BYTES, errors(state), difference(compared, registers));
        }
    }

    @Override
    public Frames verifyRegion(DrillCluster cluster) {
        return RegionCheck.run(cluster.region());
    }

    /// The registers, which PAUSE published for readers of the region under the epoch that it began.
    private static SimulatedState state(Region region, VmSlot slot, VmStatus stopped, GuestSpec spec) {
        SimulatedState state = new SimulatedState(spec);
        MemorySegment bytes = MemorySegment.ofArray(new byte[region.superblock().metadataSlotBytes()]);
        Blob blob = slot.metadata((int) (stopped.epoch() & 1)).readChecked(stopped.epoch(), stopped.spec().uuid(),
                bytes);
        new SimulatedStateCodec(spec).decode(blob.bytes(), blob.length(), state);
        return state;
    }

    private static long errors(SimulatedState state) {
        long errors = 0;
        for (int vcpu = 0; vcpu < state.spec().vcpus(); vcpu++) {
            errors += state.vcpu(vcpu).get(VcpuRegisters.ERRORS) + state.vcpu(vcpu).get(VcpuRegisters.FAULTS);
        }
        return errors;
    }

    private static String difference(MemoryComparison.Result compared, String registers) {
        if (compared.identical()) {
            return registers;
        }
        return compared.differingPages() + " pages differ, first page=" + compared.firstPage() + " offset="
                + compared.firstOffset() + " found=" + compared.found() + " expected=" + compared.expected()
                + (registers.isEmpty() ? "" : "; " + registers);
    }

    /// The driver's entries carry three arguments and, fourth, how many requests the guest had executed before.
    private static InputLog.Entry entry(InputEntry input) {
        List<Long> args = input.args();
        return new InputLog.Entry(args.get(3), input.instructions(), GuestRequest.of(input.clientId(), input.seq(),
                GuestOp.valueOf(input.op()), args.get(0), args.get(1), args.get(2)));
    }
}
