package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.agent.sim.GuestRequest;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.sim.VcpuRegisters;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.Reply.Migrated;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.MetadataSlot;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Region;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SimulatedGuestVerifierTest {
    private static final long INSTRUCTIONS = 20_000;
    private static final long PAUSED_EPOCH = 2;
    private static final long REQUESTS = 4;

    @TempDir
    Path directory;

    private final VmSpec vm = new VmSpec("v", new UUID(1, 2), "simulated", 1 << 20, 1, "kv", 1 << 19, "uniform", 42);
    private final List<InputEntry> inputs = new ArrayList<>();
    private Path file;

    @BeforeEach
    void aGuestThatRanAndWasPaused() {
        file = Region.format(directory.resolve("region"), FormatOptions.of(new UUID(0, 1), 8 << 20).withHostSlots(2)
                .withVmSlots(2).withMetadataSlotBytes(4096)).file();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            ClaimedSlot host = HostSlots.claim(region,
                    new HostIdentity(new UUID(0, 3), "h1", new UUID(0, 4), 1, WatchdogBound.UNKNOWN));
            VmSlot slot = region.vm(0);
            long creating = OwnerWord.pack(OwnerState.CREATING, host.slot(), 1);
            assertThat(slot.compareAndSetOwner(slot.ownerAcquire(), creating)).isTrue();
            try (SimulatedHypervisor driver = new SimulatedHypervisor(region, host.slot(), directory)) {
                VmIdentity identity = driver.allocate(vm, 0);
                assertThat(identity.uuid()).isEqualTo(vm.uuid());
            }
            GuestSpec spec = SimulatedHypervisor.guestSpec(vm);
            SimulatedState state = SimulatedState.fresh(spec);
            PagedMemory memory = new PagedMemory(vm.memoryBytes(), slot.pageTable().words(), region.data(), (_, _) -> {
                throw new AssertionError("a page is not present");
            });
            spec.program().boot(state.vcpu(0), memory, spec);
            for (long index = 0; index < REQUESTS; index++) {
                spec.program().run(state.vcpu(0), memory, INSTRUCTIONS / (REQUESTS + 1));
                request(state.vcpu(0), memory, spec, index);
            }
            spec.program().run(state.vcpu(0), memory, INSTRUCTIONS - state.vcpu(0).get(VcpuRegisters.INSTRUCTIONS));
            publish(slot, state);
        }
    }

    /// What a client's write does to the guest, and how the agents tell of it.
    private void request(VcpuRegisters regs, PagedMemory memory, GuestSpec spec, long index) {
        var _ = spec.program().call(regs, memory, GuestRequest.of(1, index + 1, GuestOp.KV_WRITE, index, 7, 0));
        regs.set(VcpuRegisters.REQUESTS, index + 1);
        inputs.add(new InputEntry(0, regs.get(VcpuRegisters.INSTRUCTIONS), 1, index + 1, "KV_WRITE",
                List.of(index, 7L, 0L, index)));
    }

    @Test
    void theLogsOfAllHostsMayComeInAnyOrder() {
        Collections.swap(inputs, 0, 3);
        Collections.swap(inputs, 1, 2);

        assertThat(verify(INSTRUCTIONS).identical()).isTrue();
    }

    @Test
    void aRequestThatIsNotInAnyLogIsFound() {
        InputEntry last = inputs.removeLast();
        assertThat(verify(INSTRUCTIONS).identical()).isFalse();
        inputs.set(1, last);
        assertThatThrownBy(() -> verify(INSTRUCTIONS)).hasMessageStartingWith("INPUT_LOG_INCOMPLETE: ");
    }

    @Test
    void aRequestThatWasNotExecutedAsItIsInTheLogIsFound() {
        InputEntry entry = inputs.get(2);
        inputs.set(2, new InputEntry(0, entry.instructions(), 1, 3, "KV_WRITE", List.of(2L, 8L, 0L, 2L)));

        assertThat(verify(INSTRUCTIONS).detail()).contains("pages differ");
    }

    @Test
    void aRequestThatWasExecutedTwiceIsFound() {
        inputs.add(inputs.getLast());

        assertThatThrownBy(() -> verify(INSTRUCTIONS)).hasMessageStartingWith("INPUT_LOG_INCOMPLETE: ");
    }

    @Test
    void aGuestWhoseBytesAndRegistersAreRightIsIdentical() {
        GuestVerifier.Result result = verify(INSTRUCTIONS);

        assertThat(result.detail()).isEmpty();
        assertThat(result.identical()).isTrue();
        assertThat(result.bytesCompared()).isEqualTo(1 << 20);
        assertThat(result.selfCheckErrors()).isZero();
    }

    @Test
    void oneBitOfGuestMemoryIsFound() {
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            long frame = PageTableEntry.frame(region.vm(0).pageTable().entryAcquire(200));
            region.data().set(ValueLayout.JAVA_BYTE, frame * 4096 + 77, (byte) 1);
        }

        GuestVerifier.Result result = verify(INSTRUCTIONS);

        assertThat(result.identical()).isFalse();
        assertThat(result.detail()).contains("1 pages differ").contains("page=200").contains("offset=77");
    }

    @Test
    void aRegisterThatIsWrongIsFoundAndErrorsOfTheGuestAreCounted() {
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            SimulatedState state = SimulatedState.fresh(SimulatedHypervisor.guestSpec(vm));
            state.vcpu(0).set(VcpuRegisters.INSTRUCTIONS, INSTRUCTIONS);
            state.vcpu(0).set(VcpuRegisters.ERRORS, 3);
            publish(region.vm(0), state);
        }

        GuestVerifier.Result result = verify(INSTRUCTIONS);

        assertThat(result.identical()).isFalse();
        assertThat(result.detail()).contains("register=");
        assertThat(result.selfCheckErrors()).isEqualTo(3);
    }

    @Test
    void aGuestThatRanFurtherThanItSaysIsNotIdentical() {
        assertThat(verify(INSTRUCTIONS - 1_000).identical()).isFalse();
    }

    private static void publish(VmSlot slot, SimulatedState state) {
        MetadataSlot metadata = slot.metadata((int) PAUSED_EPOCH % 2);
        int length = new SimulatedStateCodec(state.spec()).encode(state, metadata.payload());
        metadata.publish(PAUSED_EPOCH, 0, length, SimulatedStateCodec.SCHEMA, state.spec().uuid());
    }

    private GuestVerifier.Result verify(long instructions) {
        return new SimulatedGuestVerifier(directory).verify(new RegionOnly(file, inputs),
                new VmStatus(vm, 0, "PAUSED", "h1", PAUSED_EPOCH, List.of(instructions), ""));
    }

    /// A cluster of which only the region is left.
    private record RegionOnly(Path region, List<InputEntry> inputs) implements DrillCluster {
        @Override
        public List<String> hosts() {
            return List.of("h1");
        }

        @Override
        public VmStatus create(VmSpec vm, String host) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Migrated migrate(String vm, String toHost, MigrateMode mode) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void moveToShared(String vm) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<GuestLook> look(String host, String vm) {
            throw new UnsupportedOperationException();
        }

        @Override
        public VmStatus pause(String vm) {
            throw new UnsupportedOperationException();
        }

        @Override
        public VmStatus show(String vm) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Path console(String vm, String host) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<InputEntry> inputLog(String vm) {
            return inputs;
        }

        @Override
        public GuestReply call(String host, GuestCall call) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void destroy(String vm) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String describe() {
            return "region only";
        }

        @Override
        public void close() {
            // holds nothing
        }
    }
}
