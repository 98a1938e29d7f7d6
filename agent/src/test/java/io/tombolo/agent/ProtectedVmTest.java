package io.tombolo.agent;

import static io.tombolo.agent.ProtectedHosts.await;
import static io.tombolo.agent.ProtectedHosts.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.ProtectedHosts.Host;
import io.tombolo.agent.ProtectedHosts.Restored;
import io.tombolo.agent.handoff.SourceReport;
import io.tombolo.agent.hypervisor.GuestError;
import io.tombolo.agent.hypervisor.ProtectionFacts;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.MemoryComparison;
import io.tombolo.agent.sim.PageFaultHandler;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.ReferenceRun;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.CommitWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Takeover;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Protected VMs on real hosts over one region: what they do, what leaves them, and what another host makes of them.
final class ProtectedVmTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aProtectedGuestHasTheMemoryOfOneThatIsNot(int vcpus) {
        VmSpec spec = ProtectedHosts.spec("dirty", 6 * MIB, vcpus, "zipf");
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB); Host ant = hosts.host("ant")) {
            join(ant.open().create());
            join(ant.vm.protect(1000));
            ant.awaitCommits(100);
            ProtectionFacts facts = ant.protection();
            System.out.println("vcpus " + vcpus + " " + facts);
            assertThat(facts.dirtyPagesMean()).isPositive();
            assertThat(facts.pauseP50Ns()).isPositive();
            join(ant.vm.pause());
            assertThat(ant.vm.facts().errors()).isZero();
            compare(hosts, ant);
            join(ant.vm.resume());
            ant.awaitCommits(10);
            join(ant.vm.protect(0));
            assertThat(CommitWord.isProtected(hosts.slot.commitAcquire())).isFalse();
            join(ant.vm.pause());
            compare(hosts, ant);
            assertThat(hosts.findings()).isEmpty();
            join(ant.vm.resume());
            join(ant.vm.destroy());
            assertThat(hosts.findings()).isEmpty();
        }
    }

    @Test
    void isProtectedFromItsFirstInstruction() {
        VmSpec spec = ProtectedHosts.spec("dirty", 4 * MIB, 1, "zipf").withProtection(1000);
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB); Host ant = hosts.host("ant")) {
            join(ant.open().create());
            assertThat(CommitWord.isProtected(hosts.slot.commitAcquire())).isTrue();
            ant.awaitCommits(3);
            join(ant.vm.pause());
            compare(hosts, ant);
        }
    }

    @Test
    void aProtectedVmThatIsDestroyedLeavesNothing() {
        VmSpec spec = ProtectedHosts.spec("dirty", 4 * MIB, 2, "zipf").withProtection(1000);
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB); Host ant = hosts.host("ant")) {
            long free = hosts.region.allocator(ant.claimed.slot()).freeFrames();
            join(ant.open().create());
            ant.awaitCommits(3);
            join(ant.vm.destroy());
            assertThat(hosts.findings()).isEmpty();
            assertThat(hosts.region.allocator(ant.claimed.slot()).freeFrames()).isEqualTo(free);
        }
    }

    @Test
    void aVmThatCannotBeProtectedIsNotCreated() {
        VmSpec spec = ProtectedHosts.spec("dirty", 16 * MIB, 1, "zipf").withProtection(1000);
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 2 * MIB); Host ant = hosts.host("ant")) {
            assertThatThrownBy(() -> ant.open().create().join()).hasMessageContaining("REGION_FULL");
            assertThat(OwnerWord.is(hosts.slot.ownerAcquire(), OwnerState.FREE)).isTrue();
            assertThat(hosts.findings()).isEmpty();
        }
    }

    private void compare(ProtectedHosts hosts, Host host) {
        GuestSpec guest = SimulatedHypervisor.guestSpec(hosts.spec);
        long[] instructions = host.vm.facts().instructions().stream().mapToLong(Long::longValue).toArray();
        try (ReferenceRun reference = ReferenceRun.compute(guest, instructions, List.of(), directory)) {
            PagedMemory memory = PagedMemory.of(hosts.slot.pageTable(), PageFaultHandler.NO_MOVER);
            MemoryComparison.Result result = MemoryComparison.compare(memory, reference.memory(), new GuestCopier());
            assertThat(result.identical()).as("%s", result).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void handsOverUnderClientsAndStaysProtected(int vcpus) {
        VmSpec spec = ProtectedHosts.spec("kv", 4 * MIB, vcpus, "zipf");
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 96 * MIB);
                Host ant = hosts.host("ant");
                Host bee = hosts.host("bee")) {
            join(ant.open().create());
            join(ant.vm.protect(1000));
            Host[] at = {ant};
            try (ProtectedClients clients = new ProtectedClients(hosts.slot, 3, call -> call(at[0], call))) {
                for (int hop = 0; hop < 12; hop++) {
                    Host from = at[0];
                    Host to = from == ant ? bee : ant;
                    long acknowledged = clients.acknowledgements.get();
                    await("acknowledgements", () -> clients.acknowledgements.get() > acknowledged + 10);
                    long interval = CommitWord.interval(hosts.slot.commitAcquire());
                    SourceReport report = hosts.handOver(from, to);
                    System.out.println("downtime us "
                            + (report.target().firstInstructionNs() - report.offer().lastInstructionNs()) / 1000);
                    await("adopted", () -> to.vm.hosted());
                    at[0] = to;
                    assertThat(CommitWord.interval(hosts.slot.commitAcquire())).isGreaterThan(interval);
                    to.awaitCommits(3);
                }
                clients.finish();
                clients.check(call -> call(at[0], call));
                assertThat(clients.unknown).hasValue(0);
            }
            assertThat(at[0].vm.facts().errors()).isZero();
            join(at[0].vm.pause());
            assertThat(hosts.findings()).isEmpty();
        }
    }

    private static CompletableFuture<GuestReply> call(Host host, GuestCall call) {
        var vm = host.vm;
        return vm == null
                ? CompletableFuture.failedFuture(TomboloException.error(GuestError.NOT_OWNER, "gone").build())
                : vm.call(call);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void whatWasAcknowledgedOutlivesItsHost(int vcpus) {
        VmSpec spec = ProtectedHosts.spec("kv", 4 * MIB, vcpus, "zipf");
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB);
                Host cat = hosts.host("cat")) {
            Host ant = hosts.host("ant");
            join(ant.open().create());
            join(ant.vm.protect(2000));
            try (ProtectedClients clients = new ProtectedClients(hosts.slot, 3, call -> call(ant, call))) {
                await("acknowledgements", () -> clients.acknowledgements.get() > 100);
                ant.die();
                clients.finish();
                Restored restored = cat.takeOver();
                System.out.println("unknown " + clients.unknown + " acknowledged " + clients.acknowledgements
                        + " rolled back " + restored.found().pagesRolledBack());
                clients.check(restored.guest()::call);
                long commits = restored.guest().facts().protection().commits();
                await("commits", () -> restored.guest().facts().protection().commits() > commits + 20);
                restored.guest().stop();
                assertThat(restored.guest().facts().errors()).isZero();
                assertThat(hosts.findings()).isEmpty();
                restored.guest().kill();
            } finally {
                ant.close();
            }
        }
    }

    @Test
    void aCommitThatFailsStopsTheGuestAndItsRepliesAreUnknown() {
        VmSpec spec = ProtectedHosts.spec("kv", 4 * MIB, 1, "zipf");
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB);
                Host ant = hosts.host("ant");
                Host cat = hosts.host("cat")) {
            join(ant.open().create());
            // Nothing is committed for a while, so what is asked now waits.
            join(ant.vm.protect(500_000));
            ant.awaitCommits(1);
            CompletableFuture<GuestReply> reply = ant.vm
                    .call(new GuestCall("vm", 1, 1, "kv_write", List.of(1L, 1L)));
            assertThat(Takeover.begin(hosts.region, hosts.slot, cat.claimed.slot(), hosts.slot.ownerAcquire()))
                    .isNotZero();
            await("an answer", reply::isDone);
            assertThatThrownBy(reply::join).isInstanceOf(CompletionException.class).cause()
                    .isInstanceOfSatisfying(TomboloException.class,
                            e -> assertThat(e.code()).isIn(GuestError.GUEST_OUTCOME_UNKNOWN, GuestError.NOT_OWNER));
            await("the VM is gone from here", () -> ant.vm == null);
        }
    }

    @Test
    void commitsEarlyWhenTheRegionIsFullAndGoesOn() {
        VmSpec spec = ProtectedHosts.spec("dirty", 16 * MIB, 1, "uniform");
        // Less than what an interval writes; a block beside it, that the hosts' slots need.
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 7 * MIB); Host ant = hosts.host("ant")) {
            join(ant.open().create());
            join(ant.vm.protect(200_000));
            await("early commits", () -> ant.protection().earlyCommits() > 50);
            System.out.println(ant.protection());
            assertThat(ant.vm.facts().errors()).isZero();
            assertThat(ant.vm.facts().failed()).isFalse();
            join(ant.vm.pause());
            compare(hosts, ant);
            assertThat(hosts.findings()).isEmpty();
        }
    }

    @Test
    void isProtectedAndUnprotectedWhileClientsGoOn() {
        VmSpec spec = ProtectedHosts.spec("kv", 4 * MIB, 2, "zipf");
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB); Host ant = hosts.host("ant")) {
            join(ant.open().create());
            long free = hosts.region.allocator(ant.claimed.slot()).freeFrames();
            try (ProtectedClients clients = new ProtectedClients(hosts.slot, 2, call -> call(ant, call))) {
                for (int i = 0; i < 10; i++) {
                    long epoch = OwnerWord.epoch(hosts.slot.ownerAcquire());
                    join(ant.vm.protect(1000));
                    assertThat(OwnerWord.epoch(hosts.slot.ownerAcquire())).isEqualTo(epoch + 1);
                    ant.awaitCommits(5);
                    join(ant.vm.protect(0));
                    long acknowledged = clients.acknowledgements.get();
                    await("acknowledgements", () -> clients.acknowledgements.get() > acknowledged + 5);
                }
                clients.finish();
                clients.check(ant.vm::call);
                assertThat(clients.unknown).hasValue(0);
            }
            assertThat(hosts.region.allocator(ant.claimed.slot()).freeFrames()).isEqualTo(free);
            assertThat(ant.vm.facts().errors()).isZero();
        }
    }

    @Test
    void aPausedVmStaysPausedWhereverItGoesOn() {
        VmSpec spec = ProtectedHosts.spec("dirty", 4 * MIB, 2, "zipf");
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 32 * MIB);
                Host cat = hosts.host("cat")) {
            Host ant = hosts.host("ant");
            join(ant.open().create());
            join(ant.vm.protect(1000));
            ant.awaitCommits(5);
            join(ant.vm.pause());
            List<Long> instructions = ant.vm.facts().instructions();
            ant.die();
            ant.close();
            Restored restored = cat.takeOver();
            assertThat(OwnerWord.is(hosts.slot.ownerAcquire(), OwnerState.PAUSED)).isTrue();
            assertThat(restored.guest().facts().instructions()).isEqualTo(instructions);
            assertThat(restored.found().pagesRolledBack()).isZero();
            restored.guest().kill();
        }
    }
}
