package io.tombolo.chaos.sim;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestContext;
import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.agent.hypervisor.IncomingGuest;
import io.tombolo.agent.hypervisor.IncomingPort;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.PageSize;
import io.tombolo.region.Region;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;

/// The driver of a simulated host. Memory is allocated and given back as the shipped simulated driver does it.
final class SimHypervisor implements Hypervisor {
    private final World world;
    private final SimHost host;
    private final Region region;

    SimHypervisor(World world, SimHost host, Region region) {
        this.world = world;
        this.host = host;
        this.region = region;
    }

    @Override
    public String name() {
        return "simulated";
    }

    @Override
    public void check(VmSpec spec) {
        // Every definition of this world can run.
    }

    @Override
    public VmIdentity allocate(VmSpec spec, int vmSlot) {
        VmIdentity identity = VmMemory.populate(region, region.allocator(host.slot()), region.vm(vmSlot),
                VmIdentity.frames(spec.uuid(), spec.name(), spec.memoryBytes(), PageSize.SMALL, spec.vcpus(), name()));
        world.allocated(vmSlot, identity);
        return identity;
    }

    @Override
    public void release(int vmSlot) {
        VmMemory.release(region, region.vm(vmSlot), host.local().zeroed());
    }

    @Override
    public Guest boot(GuestContext context) {
        return guest(context);
    }

    private SimGuest guest(GuestContext context) {
        VmPages pages = new VmPages(region, context.slot(), region.allocator(host.slot()), host.local(),
                context.spec().vcpus());
        return new SimGuest(world, host, context, pages);
    }

    @Override
    public IncomingGuest prepare(GuestContext context, IncomingPort port) {
        return guest(context).await(port);
    }

    @Override
    public void close() {
        // Its guests are actors of the host and end with it.
    }
}
