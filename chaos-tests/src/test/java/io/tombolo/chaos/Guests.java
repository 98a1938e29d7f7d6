package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.sim.VcpuRegisters;
import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.Blob;
import java.lang.foreign.MemorySegment;

/// Looks at a simulated guest from outside.
final class Guests {
    private Guests() {
    }

    /// Pauses the VM and reads what the guest found wrong in its own memory: two runners, or a lost or doubled store,
    /// are seen there, since every page says what was last written to it.
    static VmStatus sound(ChaosCluster cluster, Vm vm) {
        VmStatus paused = cluster.pause(vm);
        GuestSpec spec = SimulatedHypervisor.guestSpec(vm.spec());
        SimulatedState state = new SimulatedState(spec);
        MemorySegment copy = MemorySegment.ofArray(new byte[cluster.region().superblock().metadataSlotBytes()]);
        Blob blob = cluster.slot(vm).metadata((int) (paused.epoch() & 1)).readChecked(paused.epoch(), vm.spec().uuid(),
                copy);
        new SimulatedStateCodec(spec).decode(blob.bytes(), blob.length(), state);
        for (int vcpu = 0; vcpu < spec.vcpus(); vcpu++) {
            assertThat(state.vcpu(vcpu).get(VcpuRegisters.ERRORS)).as("errors of vcpu %d", vcpu).isZero();
            assertThat(state.vcpu(vcpu).get(VcpuRegisters.FAULTS)).as("faults of vcpu %d", vcpu).isZero();
        }
        return paused;
    }
}
