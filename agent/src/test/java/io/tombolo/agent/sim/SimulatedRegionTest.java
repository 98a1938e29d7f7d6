package io.tombolo.agent.sim;

import io.tombolo.agent.pages.GuestCopier;
import static io.tombolo.agent.sim.SimFixtures.MIB;
import static io.tombolo.agent.sim.SimFixtures.UUID_1;
import static io.tombolo.agent.sim.SimFixtures.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.Blob;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.MetadataSlot;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Region;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import io.tombolo.region.VmSlot;
import io.tombolo.region.VmSlots;
import io.tombolo.region.WatchdogBound;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The simulated hypervisor over a real region, opened twice the way two agents open it.
@Timeout(60)
final class SimulatedRegionTest {
    private static final UUID CLUSTER = new UUID(1, 2);
    private static final GuestSpec SPEC = new GuestSpec(UUID_1, 2 * MIB, 1, GuestProgram.DIRTY, MIB, AccessPattern.ZIPF,
            9);

    @TempDir
    Path directory;

    private final Agent[] agents = new Agent[2];
    private int vmSlot;

    /// What one agent process has of its own.
    private static final class Agent implements AutoCloseable {
        final Region region;
        final int slot;
        VmSlot vm;
        VcpuRunner runner;
        final SimulatedStateCodec codec = new SimulatedStateCodec(SPEC);
        final MemorySegment privateCopy = MemorySegment.ofArray(new byte[4096]);

        Agent(Path file, String name) {
            region = Region.open(file, OpenOptions.ofCluster(CLUSTER));
            ClaimedSlot claimed = HostSlots.claim(region,
                    new HostIdentity(UUID.randomUUID(), name, new UUID(3, 4), 1, WatchdogBound.UNKNOWN));
            slot = claimed.slot();
        }

        void open(int vmSlot, String name) {
            vm = region.vm(vmSlot);
            runner = VcpuRunner.create(name, SimulatedState.fresh(SPEC),
                    PagedMemory.of(vm.pageTable(), PageFaultHandler.NO_MOVER),
                    SimFixtures.options());
        }

        @Override
        public void close() {
            if (runner != null) {
                runner.kill();
            }
            region.close();
        }
    }

    @BeforeEach
    void createVm() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(CLUSTER, 8 * MIB).withReserve(false).withMetadataSlotBytes(4096));
        agents[0] = new Agent(file, "a");
        agents[1] = new Agent(file, "b");
        Region region = agents[0].region;
        VmSlot vm = VmSlots.claim(region, agents[0].slot);
        vmSlot = vm.index();
        VmMemory.populate(region, region.allocator(agents[0].slot), vm,
                VmIdentity.frames(UUID_1, "web", SPEC.memoryBytes(), 1, "simulated"));
        long creating = vm.ownerAcquire();
        assertThat(vm.compareAndSetOwner(creating,
                OwnerWord.pack(OwnerState.RUNNING, agents[0].slot, OwnerWord.epoch(creating))))
                .isTrue();
        agents[0].open(vmSlot, "a");
        agents[1].open(vmSlot, "b");
    }

    @AfterEach
    void close() {
        for (Agent agent : agents) {
            if (agent != null) {
                agent.close();
            }
        }
    }

    private void hop(Agent from, Agent to) {
        long epoch = OwnerWord.epoch(from.vm.ownerAcquire());
        MetadataSlot out = from.vm.metadata((int) (epoch & 1));
        MemorySegment payload = out.payload();
        MetadataSlot in = to.vm.metadata((int) (epoch & 1));
        long offered = OwnerWord.pack(OwnerState.OFFERED, to.slot, epoch + 1);
        long running = OwnerWord.pack(OwnerState.RUNNING, to.slot, epoch + 1);
        to.runner.arm(into -> {
            while (to.vm.ownerAcquire() != offered) {
                if (Thread.currentThread().isInterrupted()) {
                    return false;
                }
                Thread.onSpinWait();
            }
            Blob blob = in.readChecked(epoch + 1, UUID_1, to.privateCopy);
            to.codec.decode(blob.bytes(), blob.length(), into);
            return to.vm.compareAndSetOwner(offered, running);
        });
        await(from.runner.requestSwitch(state -> {
            int length = from.codec.encode(state, payload);
            out.publish(epoch + 1, 0, length, SimulatedStateCodec.SCHEMA, UUID_1);
            return from.vm.compareAndSetOwner(OwnerWord.pack(OwnerState.RUNNING, from.slot, epoch), offered)
                    ? SwitchAction.Outcome.DEPARTED
                    : SwitchAction.Outcome.STOP;
        }));
        await(() -> to.runner.state() == VcpuRunner.State.RUNNING
                && to.runner.startedNs() > to.runner.vm().stoppedAtNs());
    }

    @Test
    void hopsThroughTheRegionAndLeavesTheImageOfAVmThatNeverMoved() {
        agents[0].runner.resume();
        await(() -> agents[0].runner.firstInstructionDoneNs() > 0);
        int hops = 200;
        long[] downtimes = new long[hops];
        for (int i = 0; i < hops; i++) {
            hop(agents[i % 2], agents[(i + 1) % 2]);
            VcpuRunner target = agents[(i + 1) % 2].runner;
            downtimes[i] = target.startedNs() - target.vm().stoppedAtNs();
        }
        VcpuRunner last = agents[hops % 2].runner;
        await(last.requestStop());
        Arrays.sort(downtimes);
        System.out.println("downtime ns through the region p50=" + downtimes[hops / 2] + " max=" + downtimes[hops - 1]);
        GuestCopier copier = new GuestCopier();
        try (ReferenceRun reference = ReferenceRun.compute(SPEC, last.vm().instructions(), List.of(), directory)) {
            PagedMemory memory = PagedMemory.of(agents[1].vm.pageTable(), PageFaultHandler.NO_MOVER);
            MemoryComparison.Result result = MemoryComparison.compare(memory, reference.memory(), copier);
            assertThat(result.identical()).as(result.toString()).isTrue();
            assertThat(result.pages()).isEqualTo(512);
            assertThat(reference.registerDifference(last.vm())).isEmpty();

            // And the comparison would have seen one flipped byte, on a written page and on one that must be zero.
            for (long page : new long[]{0, 511}) {
                long gpa = page * 4096 + 4088;
                memory.setLong(gpa, memory.getLong(gpa) ^ 0x0100_0000_0000_0000L);
                MemoryComparison.Result flipped = MemoryComparison.compare(memory, reference.memory(), copier);
                assertThat(flipped.differingPages()).isEqualTo(1);
                assertThat(flipped.firstPage()).isEqualTo(page);
                assertThat(flipped.firstOffset()).isEqualTo(4095);
                assertThat(flipped.found()).isEqualTo(1);
                assertThat(flipped.expected()).isZero();
                memory.setLong(gpa, memory.getLong(gpa) ^ 0x0100_0000_0000_0000L);
            }
        }
        assertThat(copier.bytesCopied()).isEqualTo(3 * SPEC.memoryBytes());
        assertThat(last.vm().errors()).isZero();
    }

    @Test
    void faultsOnAMovingPageWithoutAMoverAndLeavesTheRestAlone() {
        PageTable pages = agents[0].vm.pageTable();
        long before = pages.entryAcquire(3);
        assertThat(PageTableEntry.isPresentShared(before)).isTrue();
        assertThat(pages.compareAndSet(3, before, before ^ (3L << 60))).isTrue();
        PagedMemory memory = PagedMemory.of(pages, PageFaultHandler.NO_MOVER);
        assertThatThrownBy(() -> memory.getLong(3 * 4096)).isInstanceOf(GuestFault.class)
                .hasMessageContaining("NOT_PRESENT");
        assertThat(memory.getLong(4 * 4096)).isZero();
    }
}
