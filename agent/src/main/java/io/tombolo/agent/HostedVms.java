package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.agent.takeover.TakeoverCore;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmSlot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/// The VMs of one host, by slot, and the drivers that run them. Thread safe.
final class HostedVms {
    private final Region region;
    private final HostPorts host;
    private final Map<String, Hypervisor> drivers;
    private final Function<String, HandoffBounds> bounds;
    private final LongSupplier bytesCopied;
    private final Consumer<Set<String>> hosting;
    private final Map<Integer, HostedVm> bySlot = new HashMap<>();
    private final Map<Integer, TakeoverCore.State> takeovers = new ConcurrentHashMap<>();
    /// Logs of guests that were here by the VM's name, the VM that left first being forgotten first.
    private final Map<String, PastInputs> pastInputs = new LinkedHashMap<>();

    /// What a VM that comes and goes has left behind, oldest stay first.
    private record PastInputs(UUID vm, List<InputEntry> entries) {
    }

    /// @param hosting told the names of the VMs that run here whenever they change
    /// @param bounds hand-off bounds by driver name: a QEMU guest takes milliseconds where a simulated one takes
    /// microseconds
    HostedVms(Region region, HostPorts host, Collection<Hypervisor> drivers, Function<String, HandoffBounds> bounds,
            LongSupplier bytesCopied, Consumer<Set<String>> hosting) {
        this.hosting = requireNonNull(hosting, "hosting is null");
        this.region = requireNonNull(region, "region is null");
        this.host = requireNonNull(host, "host is null");
        this.drivers = new LinkedHashMap<>();
        drivers.forEach(driver -> this.drivers.put(driver.name(), driver));
        this.bounds = requireNonNull(bounds, "bounds is null");
        this.bytesCopied = requireNonNull(bytesCopied, "bytesCopied is null");
    }

    int hostSlot() {
        return host.self();
    }

    long owner(int vmSlot) {
        return region.vm(vmSlot).ownerAcquire();
    }

    /// How many pages of the VM are in its owner host's own memory.
    long localPages(int vmSlot) {
        return region.vm(vmSlot).localPagesAcquire();
    }

    /// Bytes of guest memory that anything but a vCPU loaded or stored in this process.
    long bytesCopied() {
        return bytesCopied.getAsLong();
    }

    /// The VM in that slot, entered anew if this host has nothing of it yet.
    synchronized HostedVm open(int vmSlot, VmSpec spec) {
        HostedVm known = bySlot.get(vmSlot);
        if (known != null) {
            if (!known.spec().uuid().equals(spec.uuid())) {
                throw TomboloException.error(AgentError.VM_SLOT_MISMATCH, "the slot holds another VM on this host")
                        .fact("slot", vmSlot).fact("found", known.spec().name()).fact("asked", spec.name())
                        .next("'tombolo region inspect' shows the slot").build();
            }
            return known;
        }
        Hypervisor driver = drivers.get(spec.driver());
        if (driver == null) {
            throw TomboloException.error(AgentError.DRIVER_UNKNOWN, "this host has no such driver")
                    .fact("driver", spec.driver()).fact("drivers", drivers.keySet())
                    .next("choose a host with the driver, or enable it in the agent's configuration").build();
        }
        HostedVm vm = new HostedVm(host, driver, region.vm(vmSlot), spec, bounds.apply(spec.driver()),
                this::changed, this::left);
        bySlot.put(vmSlot, vm);
        PastInputs past = pastInputs.get(spec.name());
        if (past != null && !past.vm().equals(spec.uuid())) {
            pastInputs.remove(spec.name());
        }
        return vm;
    }

    private synchronized void left(HostedVm vm) {
        List<InputEntry> inputs = vm.inputLog();
        if (!inputs.isEmpty()) {
            String name = vm.spec().name();
            pastInputs.computeIfAbsent(name, _ -> new PastInputs(vm.spec().uuid(), new ArrayList<>())).entries()
                    .addAll(inputs);
            if (pastInputs.size() > region.vmSlots()) {
                pastInputs.remove(pastInputs.keySet().iterator().next());
            }
        }
        bySlot.remove(vm.slotIndex(), vm);
        tell();
    }

    private void changed(HostedVm vm) {
        tell();
    }

    private void tell() {
        hosting.accept(hosted().stream().map(vm -> vm.spec().name()).collect(Collectors.toSet()));
    }

    synchronized Optional<HostedVm> find(int vmSlot) {
        return Optional.ofNullable(bySlot.get(vmSlot));
    }

    /// The VM in that slot if it is the one of that name.
    HostedVm at(int vmSlot, String name) {
        return find(vmSlot).filter(vm -> vm.spec().name().equals(name)).orElseThrow(() -> notHere(name));
    }

    synchronized HostedVm byName(String name) {
        return bySlot.values().stream().filter(vm -> vm.spec().name().equals(name) && vm.hosted()).findFirst()
                .orElseThrow(() -> notHere(name));
    }

    private static TomboloException notHere(String name) {
        return TomboloException.error(AgentError.VM_NOT_ON_HOST, "the VM is not on this host").fact("vm", name)
                .next("'tombolo vm show " + name + "' tells where it is").build();
    }

    /// Takes a VM over; see [HostedVm#takeOver].
    CompletableFuture<Long> takeOver(int vmSlot, VmSpec spec, long ownerEpoch) {
        return open(vmSlot, spec).takeOver(region, ownerEpoch, state -> takeovers.put(vmSlot, state));
    }

    /// The last takeover of a VM by this host.
    Optional<TakeoverCore.State> takeover(int vmSlot) {
        return Optional.ofNullable(takeovers.get(vmSlot));
    }

    /// Gives back the memory of a VM that nobody runs any more.
    void destroyLost(int vmSlot, String name) {
        VmSlot vm = region.vm(vmSlot);
        long lost = vm.ownerAcquire();
        VmIdentity identity = vm.readIdentity();
        Hypervisor driver = drivers.get(identity.driver());
        if (!OwnerWord.is(lost, OwnerState.LOST) || !identity.name().equals(name) || driver == null) {
            throw notHere(name);
        }
        long destroying = OwnerWord.pack(OwnerState.DESTROYING, hostSlot(), OwnerWord.nextEpoch(lost));
        if (!vm.compareAndSetOwner(lost, destroying)) {
            throw notHere(name);
        }
        driver.releaseLost(vmSlot);
        vm.compareAndSetOwner(destroying, OwnerWord.pack(OwnerState.FREE, 0, OwnerWord.epoch(destroying)));
        takeovers.remove(vmSlot);
    }

    /// VMs that have a guest here.
    synchronized List<HostedVm> hosted() {
        return bySlot.values().stream().filter(HostedVm::hosted).toList();
    }

    /// Everything this host has something of.
    synchronized List<HostedVm> all() {
        return List.copyOf(bySlot.values());
    }

    /// Client requests executed on this host, all stays of the VM.
    synchronized List<InputEntry> inputLog(String name) {
        PastInputs past = pastInputs.get(name);
        List<InputEntry> all = new ArrayList<>(past == null ? List.of() : past.entries());
        bySlot.values().stream().filter(vm -> vm.spec().name().equals(name)).forEach(vm -> all.addAll(vm.inputLog()));
        return all;
    }

    void closeDrivers() {
        drivers.values().forEach(Hypervisor::close);
    }
}
