package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.right.Timings;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the supervisor says in the region of processes that have stopped, and of no other.
final class RegionEvidenceTest {
    private static final Timings TIMINGS = new Timings(200);
    private static final long GROUP_MS = 10_000;

    @TempDir
    private Path directory;
    private Path run;
    private Region region;
    private RegionEvidence evidence;
    private Supervisor supervisor;

    @BeforeEach
    void start() throws IOException {
        run = Files.createTempDirectory(Path.of("/dev/shm"), "tombolo-evidence-");
        Region.format(run.resolve("region"), FormatOptions.of(UUID.randomUUID(), 4L << 20));
        region = Region.open(run.resolve("region"), OpenOptions.readWrite());
        evidence = RegionEvidence.open(run.resolve("region"));
        supervisor = new Supervisor(directory, TIMINGS, KillGroups.detect(Leftovers.run()), Optional.empty(),
                evidence::confirm);
    }

    @AfterEach
    void leaveNothing() throws IOException {
        supervisor.close();
        evidence.close();
        region.close();
        Files.delete(run.resolve("region"));
        Files.deleteIfExists(run.resolve("segments"));
        Files.delete(run);
    }

    private SupervisedProcess agent(String name) {
        return supervisor.start(new ProcessSpec(name, ProcessRole.AGENT, List.of("sleep", "1000"), Map.of(),
                OptionalLong.empty(), Optional.of(() -> true), directory.resolve(name + ".log")));
    }

    /// Pets once and never again.
    private SupervisedProcess silent(String name) {
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx64m", "-cp",
                System.getProperty("java.class.path"), PettingMain.class.getName(), "silent", name);
        return supervisor.start(new ProcessSpec(name, ProcessRole.AGENT, command, Map.of(),
                OptionalLong.of(TIMINGS.watchdogNs()), Optional.empty(), directory.resolve(name + ".log")));
    }

    private ClaimedSlot claim(SupervisedProcess process, UUID bootId) {
        return HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), process.name(), bootId, process.pid(),
                WatchdogBound.UNKNOWN));
    }

    private ClaimedSlot claim(SupervisedProcess process) {
        return claim(process, Linux.bootId());
    }

    private HostState state(ClaimedSlot slot) {
        return SlotWord.state(region.host(slot.slot()).wordAcquire());
    }

    @Test
    void aCrashIsConfirmedInTheRegionWithoutAnybodyAsking() {
        SupervisedProcess process = agent("host-1");
        SupervisedProcess other = agent("host-2");
        ClaimedSlot slot = claim(process);
        ClaimedSlot beside = claim(other);

        process.signalMain(Linux.SIGKILL);
        StopRecord record = process.awaitStopped(GROUP_MS);

        assertThat(record.reason()).isEqualTo(StopReason.EXITED);
        assertThat(state(slot)).isEqualTo(HostState.CONFIRMED);
        assertThat(state(beside)).isEqualTo(HostState.LIVE);
    }

    @Test
    void soAreAKillAndAnEndThatWasAskedFor() {
        SupervisedProcess killed = agent("host-1");
        ClaimedSlot first = claim(killed);
        killed.kill();
        assertThat(state(first)).isEqualTo(HostState.CONFIRMED);

        SupervisedProcess stopped = agent("host-2");
        ClaimedSlot second = claim(stopped);
        stopped.stop(GROUP_MS);
        assertThat(state(second)).isEqualTo(HostState.CONFIRMED);
    }

    @Test
    void aGroupThatOnlyStandsStillIsNotConfirmedBeforeItsWatchdogHasKilledIt() {
        SupervisedProcess process = silent("host-1");
        process.awaitReady(TIMINGS.startTimeoutMs());
        process.pause();
        ClaimedSlot slot = claim(process);
        while (process.state() != ProcessState.STOPPED) {
            HostState seen = state(slot);
            assertThat(seen == HostState.LIVE || process.pids().isEmpty()).isTrue();
        }
        assertThat(process.awaitStopped(GROUP_MS).reason()).isEqualTo(StopReason.WATCHDOG);
        assertThat(state(slot)).isEqualTo(HostState.CONFIRMED);
    }

    @Test
    void toSayItAgainChangesNothingAndTheNextIncarnationIsLeftAlone() {
        SupervisedProcess process = agent("host-1");
        ClaimedSlot slot = claim(process);
        StopRecord record = process.kill();
        long confirmed = region.host(slot.slot()).wordAcquire();

        assertThat(evidence.confirm(record)).isTrue();
        assertThat(region.host(slot.slot()).wordAcquire()).isEqualTo(confirmed);

        SupervisedProcess fresh = supervisor.restart("host-1");
        ClaimedSlot next = claim(fresh);
        assertThat(evidence.confirm(record)).isTrue();
        assertThat(state(next)).isEqualTo(HostState.LIVE);
    }

    @Test
    void thePidOfAnotherMachineIsNotThisProcess() {
        SupervisedProcess process = agent("host-1");
        ClaimedSlot elsewhere = claim(process, UUID.randomUUID());

        StopRecord record = process.kill();

        assertThat(state(elsewhere)).isEqualTo(HostState.LIVE);
        assertThat(evidence.confirm(record)).isFalse();
    }

    @Test
    void aRegionThatIsClosedIsNotTouchedAndTheStopIsRecordedAllTheSame() {
        SupervisedProcess process = agent("host-1");
        ClaimedSlot slot = claim(process);
        evidence.close();

        StopRecord record = process.kill();

        assertThat(evidence.confirm(record)).isFalse();
        assertThat(state(slot)).isEqualTo(HostState.LIVE);
        assertThat(supervisor.stopRecords()).containsExactly(record);
    }
}
