package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.qemu.GuestConsole;
import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.os.Linux;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Real Linux guests, whose memory a QEMU process of the host's kill group writes. One cluster and one guest for all,
/// because booting is what takes the time.
class QemuDeathTest {
    private static final long MEMORY_BYTES = 192L << 20;
    private static final long WORKING_SET_BYTES = 16L << 20;
    private static final long PROGRESS_MS = 60_000;
    private static final String NOT_PROTECTED = "VM_LOST_NOT_PROTECTED";

    private static GuestConsole.Beat progress(ChaosCluster cluster, Vm vm, String host) {
        GuestConsole console = new GuestConsole(cluster.runDirectory(host).resolve(vm.name() + ".console"));
        long before = console.latest().map(GuestConsole.Beat::number).orElse(0L);
        GuestConsole.Beat beat = console.await(b -> b.number() >= before + 2 && b.iterations() > 0, PROGRESS_MS);
        assertThat(beat.errors()).isZero();
        assertThat(console.complaint()).isEmpty();
        return beat;
    }

    private static List<Long> guestsOf(ChaosCluster cluster, String host) {
        long agent = cluster.processes().process(host).pid();
        return cluster.processes().process(host).pids().stream().filter(pid -> pid != agent).toList();
    }

    /// Whether a thread of the process can execute another instruction. One that its new parent has not reaped yet is
    /// dead.
    private static boolean lives(long pid) {
        File[] threads = new File("/proc/" + pid + "/task").listFiles();
        return threads != null && Stream.of(threads).anyMatch(thread -> {
            try {
                String stat = Files.readString(thread.toPath().resolve("stat"));
                return "ZX".indexOf(stat.charAt(stat.lastIndexOf(')') + 2)) < 0;
            } catch (IOException _) {
                // The thread ended while it was looked at.
                return false;
            }
        });
    }

    @Test
    void targetsThatCannotLoadAndHostsThatDieWithTheirGuests() {
        try (ChaosCluster cluster = ChaosCluster
                .start(spec -> spec.withHosts(List.of("ant", "bee", "cat")).withDrivers(List.of("qemu")))) {
            Vm vm = cluster.create(new VmSpec("linux", UUID.randomUUID(), "qemu", MEMORY_BYTES, 1, "linux",
                    WORKING_SET_BYTES, "uniform", 7), "ant");
            progress(cluster, vm, "ant");
            aLoadThatFailsSendsTheGuestBack(cluster, vm);
            progress(cluster, vm, "ant");
            noQemuOutlivesItsAgent(cluster, vm);
        }
    }

    /// Row 12: the target's QEMU dies while it loads; the target's agent gives the VM back.
    private static void aLoadThatFailsSendsTheGuestBack(ChaosCluster cluster, Vm vm) {
        Attack a = Attack.of(cluster, vm, "ant", "bee");
        a.halt("bee", HandoffPoint.TARGET_CLAIMED, HaltAction.HOLD);
        a.begin();
        CompletableFuture<Reply.Migrated> migration = a.migration();
        List<Long> loading = guestsOf(cluster, "bee");
        assertThat(loading).isNotEmpty();
        loading.forEach(pid -> Linux.kill(pid, Linux.SIGKILL));
        cluster.letGo("bee");
        Outcome.awaitOwner(cluster, vm, a.runningAtSource(2));
        assertThatThrownBy(migration::join).hasMessageContaining(vm.name());
    }

    /// Row 13: after CLAIMED guest memory may be half loaded, so the source does not take back from a dead target. And
    /// nothing of a host that dies, killed or stopped, outlives it: not the guest that runs, not the one that waits.
    private static void noQemuOutlivesItsAgent(ChaosCluster cluster, Vm vm) {
        Attack a = Attack.of(cluster, vm, "ant", "cat");
        a.halt("cat", HandoffPoint.TARGET_CLAIMED, HaltAction.HOLD);
        a.begin();
        List<Long> waiting = guestsOf(cluster, "cat");
        List<Long> stopped = guestsOf(cluster, "ant");
        assertThat(waiting).isNotEmpty().allMatch(QemuDeathTest::lives);
        assertThat(stopped).isNotEmpty().allMatch(QemuDeathTest::lives);
        cluster.processes().signal("cat", Linux.SIGKILL);
        cluster.awaitStopped("cat");
        assertThat(waiting).noneMatch(QemuDeathTest::lives);
        assertThat(a.migration().handle((_, failure) -> failure)).succeedsWithin(ChaosCluster.PATIENCE)
                .isNotNull();
        Outcome.isLost(cluster, vm, OwnerWord.pack(OwnerState.CLAIMED, a.targetSlot(), a.epoch() + 1), NOT_PROTECTED);

        Vm second = cluster.create(new VmSpec("linux-2", UUID.randomUUID(), "qemu", MEMORY_BYTES, 1, "linux",
                WORKING_SET_BYTES, "uniform", 8), "bee");
        progress(cluster, second, "bee");
        long word = cluster.owner(second);
        List<Long> running = guestsOf(cluster, "bee");
        assertThat(running).isNotEmpty().allMatch(QemuDeathTest::lives);
        cluster.processes().signal("bee", Linux.SIGKILL);
        cluster.awaitStopped("bee");
        assertThat(running).noneMatch(QemuDeathTest::lives);
        Outcome.isLost(cluster, second, word, NOT_PROTECTED);

        cluster.processes().signal("ant", Linux.SIGSTOP);
        cluster.awaitStopped("ant");
        assertThat(stopped).noneMatch(QemuDeathTest::lives);
    }
}
