package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.AccessPattern;
import io.tombolo.agent.sim.GuestProgram;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.Region;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The embedded default: vCPUs are threads of the agent, guest memory is frames of the region behind the VM's page
/// table.
public final class SimulatedHypervisor implements Hypervisor {
    /// How long a guest that is to be offered runs on while the target's thread is not on a core.
    public static final long SPINNER_WAIT_NS = 100_000_000;
    /// The driver's name in a VM definition.
    public static final String NAME = "simulated";

    private final Region region;
    private final int hostSlot;
    private final ExecutorService completions = Executors
            .newSingleThreadExecutor(Thread.ofPlatform().daemon().name("sim-completions").factory());

    private final DryRun dryRun;

    /// @param runDirectory for scratch files
    public SimulatedHypervisor(Region region, int hostSlot, Path runDirectory) {
        this.region = requireNonNull(region, "region is null");
        this.hostSlot = hostSlot;
        this.dryRun = DryRun.simulated(runDirectory);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void check(VmSpec spec) {
        guestSpec(spec);
    }

    @Override
    public VmIdentity allocate(VmSpec spec, int vmSlot) {
        VmIdentity wanted = VmIdentity.frames(spec.uuid(), spec.name(), spec.memoryBytes(), spec.vcpus(), NAME);
        return VmMemory.populate(region, region.allocator(hostSlot), region.vm(vmSlot), wanted);
    }

    @Override
    public void release(int vmSlot) {
        VmMemory.release(region, region.vm(vmSlot));
    }

    @Override
    public Guest boot(GuestContext context) {
        return new SimulatedGuest(region, context, guestSpec(context.spec()), completions, dryRun);
    }

    @Override
    public IncomingGuest prepare(GuestContext context, IncomingPort port) {
        return new SimulatedGuest(region, context, guestSpec(context.spec()), completions, dryRun).await(port);
    }

    /// The guest that a definition of this driver describes.
    public static GuestSpec guestSpec(VmSpec spec) {
        return new GuestSpec(spec.uuid(), spec.memoryBytes(), spec.vcpus(), GuestProgram.of(spec.program()),
                spec.workingSetBytes(), AccessPattern.of(spec.pattern()), spec.seed());
    }

    @Override
    public void close() {
        completions.shutdown();
        dryRun.close();
    }
}
