package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.SourceReport;
import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.GuestContext;
import io.tombolo.agent.hypervisor.ProtectionFacts;
import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.Takeover;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/// Hosts on one region with everything real but the network, the coordinator and the supervisor, and one VM.
final class ProtectedHosts implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final UUID CLUSTER = new UUID(3, 4);
    private static final long MS = 1_000_000;
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    final Region region;
    final VmSpec spec;
    final VmSlot slot;
    private final Path directory;
    private long intents;

    /// @param spareBytes of the region, beside the VM's memory
    ProtectedHosts(Path directory, VmSpec spec, long spareBytes) {
        this.directory = directory;
        this.spec = spec;
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(CLUSTER, spec.memoryBytes() + spareBytes).withHostSlots(24).withVmSlots(2)
                .withMetadataSlotBytes(1 << 13));
        region = Region.open(file, OpenOptions.ofCluster(CLUSTER));
        slot = region.vm(0);
    }

    static VmSpec spec(String program, long bytes, int vcpus, String pattern) {
        return new VmSpec("vm", new UUID(5, 6), SimulatedHypervisor.NAME, bytes, vcpus, program, bytes, pattern, 7);
    }

    Host host(String name) {
        return new Host(name);
    }

    List<?> findings() {
        return RegionVerifier.verify(region).findings();
    }

    static void await(String what, BooleanSupplier condition) {
        long since = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - since).as("ns, and not yet: %s", what).isLessThan(PATIENCE.toNanos());
            pause();
        }
    }

    /// The poll interval of a deadline loop.
    static void pause() {
        try {
            NEVER.await(200, TimeUnit.MICROSECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    static <T> T join(CompletableFuture<T> future) {
        assertThat(future).succeedsWithin(PATIENCE);
        return future.join();
    }

    /// Hands the VM over until it is there: on a busy machine a thread may miss its window.
    SourceReport handOver(Host from, Host to) {
        while (true) {
            long intent = ++intents;
            long epoch = OwnerWord.epoch(slot.ownerAcquire());
            to.open();
            from.target = to;
            join(to.vm.prepare(intent, epoch, from.claimed.slot(), intent, false));
            SourceReport report = join(from.vm.switchOver(intent, epoch,
                    new HostPorts.Peer(to.claimed.slot(), to.name, "", 0), intent));
            if (report.outcome() == SourceCore.Outcome.HANDED_OVER) {
                return report;
            }
            join(to.vm.cancel(intent));
        }
    }

    @Override
    public void close() {
        region.close();
    }

    /// One host.
    final class Host implements AutoCloseable {
        final String name;
        final ClaimedSlot claimed;
        final HostCore core;
        final SimulatedHypervisor driver;
        volatile HostedVm vm;
        private volatile Host target;

        private Host(String name) {
            this.name = name;
            this.claimed = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, Linux.bootId(),
                    ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
            this.core = LastingRight.host(region, claimed, HostCore.NO_POINTS,
                    (_, intentSeq, _, epoch, _) -> target.vm.openWindow(intentSeq, epoch));
            this.driver = new SimulatedHypervisor(region, claimed.slot(), directory);
        }

        HostedVm open() {
            if (vm == null) {
                vm = new HostedVm(core, driver, slot, spec,
                        new HandoffBounds(new SourceCore.Bounds(2_000 * MS, 10_000 * MS, 5_000 * MS), 60_000 * MS,
                                200 * MS, 50_000, 1_000 * MS),
                        _ -> {
                        }, _ -> vm = null);
            }
            return vm;
        }

        ProtectionFacts protection() {
            return vm.facts().protection();
        }

        void awaitCommits(long more) {
            long before = protection().commits();
            await(more + " commits", () -> protection().commits() >= before + more);
        }

        /// Fences it as its death would, stops its threads wherever they are, and says so in its slot.
        void die() {
            assertThat(HostSlots.fence(region, claimed.slot(), claimed.incarnation())).isTrue();
            HostedVm left = vm;
            if (left != null) {
                join(left.abandon());
            }
            assertThat(HostSlots.confirmStopped(region, claimed.slot(), claimed.incarnation())).isTrue();
        }

        /// Takes the VM over from hosts that have died, as the coordinator has it done, and runs it.
        void takeOverAsOrdered() {
            join(open().takeOver(region, OwnerWord.epoch(slot.ownerAcquire()), _ -> {
            }));
            await("the VM is here", () -> vm != null && vm.hosted() && !OwnerWord.is(slot.ownerAcquire(),
                    OwnerState.RECOVERING) && !OwnerWord.is(slot.ownerAcquire(), OwnerState.RESTORING));
        }

        /// Takes the VM over from hosts that have died, and runs it.
        Restored takeOver() {
            long mine = Takeover.begin(region, slot, claimed.slot(), slot.ownerAcquire());
            assertThat(mine).isNotZero();
            assertThat(Takeover.inDoubt(region, slot, mine)).isEmpty();
            try (Arena arena = Arena.ofConfined()) {
                Takeover.Recovered found = Takeover.recover(region, slot, mine, arena.allocate(1 << 13));
                assertThat(found.lostReason()).isEmpty();
                AtomicLong word = new AtomicLong(mine);
                GuestContext context = new GuestContext(spec, slot.readIdentity(), slot, core.board(),
                        () -> slot.ownerAcquire() == word.get(), () -> OwnerWord.epoch(word.get()), _ -> {
                        }, RunObserver.NONE);
                Guest guest = driver.restoring(context).restore(found.state(), mine);
                OwnerState to = found.state().paused() ? OwnerState.PAUSED : OwnerState.RUNNING;
                word.set(OwnerWord.pack(to, claimed.slot(), OwnerWord.epoch(mine)));
                assertThat(Takeover.finish(region, slot, mine, to)).isTrue();
                if (to == OwnerState.RUNNING) {
                    guest.run();
                }
                return new Restored(guest, found);
            }
        }

        @Override
        public void close() {
            HostedVm left = vm;
            if (left != null) {
                join(left.abandon());
            }
            core.close();
            driver.close();
        }
    }

    /// A guest that runs again.
    record Restored(Guest guest, Takeover.Recovered found) {
    }
}
