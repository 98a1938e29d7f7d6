package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.pages.PagesError;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.sim.AccessPattern;
import io.tombolo.agent.sim.GuestProgram;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.PageSize;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
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
    private final LocalTier local;
    private final ExecutorService completions = Executors
            .newSingleThreadExecutor(Thread.ofPlatform().daemon().name("sim-completions").factory());

    private final DryRun dryRun;

    /// On a host without a tier of its own.
    public SimulatedHypervisor(Region region, int hostSlot, Path runDirectory) {
        this(region, hostSlot, runDirectory, null);
    }

    /// @param runDirectory for scratch files
    /// @param local this host's own tier; null if it has none
    public SimulatedHypervisor(Region region, int hostSlot, Path runDirectory, LocalTier local) {
        this.local = local;
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
        VmIdentity wanted = VmIdentity.frames(spec.uuid(), spec.name(), spec.memoryBytes(),
                PageSize.ofBytes(spec.pageBytes()), spec.vcpus(), NAME);
        return VmMemory.populate(region, region.allocator(hostSlot), region.vm(vmSlot), wanted,
                startsLocal(spec) ? local.zeroed() : null);
    }

    private boolean startsLocal(VmSpec spec) {
        boolean fits = local != null && local.freeFrames(PageSize.ofBytes(spec.pageBytes())) >= spec.pages();
        return switch (spec.tier()) {
            case "local" -> {
                if (local == null) {
                    throw TomboloException.error(PagesError.PAGES_ENODEV, "this host has no local tier")
                            .fact("vm", spec.name()).next("'tombolo tier list' shows the tiers of every host").build();
                }
                yield true;
            }
            case "auto" -> fits;
            default -> false;
        };
    }

    @Override
    public void release(int vmSlot) {
        VmMemory.release(region, region.vm(vmSlot), local == null ? null : local.zeroed());
    }

    @Override
    public void releaseLost(int vmSlot) {
        VmMemory.release(region, region.vm(vmSlot));
    }

    @Override
    public Guest boot(GuestContext context) {
        return guest(context);
    }

    @Override
    public IncomingGuest prepare(GuestContext context, IncomingPort port) {
        return guest(context).await(port);
    }

    @Override
    public RestoringGuest restoring(GuestContext context) {
        return guest(context);
    }

    private SimulatedGuest guest(GuestContext context) {
        FrameAllocator allocator = region.allocator(hostSlot);
        VmPages pages = new VmPages(region, context.slot(), allocator, local, context.spec().vcpus());
        return new SimulatedGuest(context, guestSpec(context.spec()), region, pages, allocator, completions, dryRun);
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
