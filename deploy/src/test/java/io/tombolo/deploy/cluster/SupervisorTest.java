package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.right.Timings;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.NotifySocket;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SupervisorTest {
    private static final Timings TIMINGS = new Timings(200);
    private static final AtomicInteger DURATIONS = new AtomicInteger();

    @TempDir
    private Path directory;
    private final String mark = "8" + ProcessHandle.current().pid() + "." + DURATIONS.incrementAndGet();
    private Supervisor supervisor;

    @BeforeEach
    void startSupervisor() {
        supervisor = new Supervisor(directory, TIMINGS, KillGroups.detect(Leftovers.run()), Optional.empty());
    }

    @AfterEach
    void leaveNothing() {
        supervisor.close();
        assertThat(Leftovers.withArgument(mark)).isEmpty();
        supervisor.groups().parent().ifPresent(roof -> assertThat(roof).doesNotExist());
        assertThat(ProcessHandle.of(supervisor.guardPid()).filter(ProcessHandle::isAlive)).isEmpty();
    }

    private ProcessSpec petting(String name, String how) {
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx64m", "-cp",
                System.getProperty("java.class.path"), PettingMain.class.getName(), how, mark);
        return new ProcessSpec(name, ProcessRole.AGENT, command, Map.of(), OptionalLong.of(TIMINGS.watchdogNs()),
                Optional.empty(), directory.resolve(name + ".log"));
    }

    private ProcessSpec sleeping(String name, String script) {
        return new ProcessSpec(name, ProcessRole.ZOOKEEPER, List.of("/bin/sh", "-c", script.replace("@", mark)),
                Map.of(), OptionalLong.empty(), Optional.of(() -> true), directory.resolve(name + ".log"));
    }

    @Test
    void aProcessThatPetsLivesAndIsKilledAtOnceWhenItIsStopped() {
        SupervisedProcess process = supervisor.start(petting("host-a", "pet"));
        process.awaitReady(20_000);
        assertThat(process.declared()).containsEntry("X_TOMBOLO_INCARNATION", "5");
        long until = System.nanoTime() + 3 * TIMINGS.watchdogNs();
        while (System.nanoTime() < until) {
            assertThat(process.state()).isEqualTo(ProcessState.READY);
        }

        process.pause();
        StopRecord record = process.awaitStopped(10_000);

        assertThat(record.reason()).isEqualTo(StopReason.WATCHDOG);
        assertThat(record.exitStatus()).isEqualTo(128 + Linux.SIGKILL);
        assertThat(record.declared()).containsEntry("X_TOMBOLO_SLOT", "2");
        assertThat(record.killSentNs() - record.lastCheckedNs()).isBetween(TIMINGS.watchdogNs(),
                TIMINGS.watchdogNs() + 2_000_000_000L);
        assertThat(record.killToReapedNs()).isPositive();
    }

    @Test
    void aProcessWithOneStuckThreadIsKilledHoweverMuchItPets() {
        SupervisedProcess process = supervisor.start(petting("host-a", "stuck"));
        process.awaitReady(20_000);

        StopRecord record = process.awaitStopped(10_000);

        assertThat(record.reason()).isEqualTo(StopReason.WATCHDOG);
        assertThat(record.dueNs()).isEqualTo(record.lastCheckedNs() + TIMINGS.watchdogNs());
    }

    @Test
    void petsFromAnotherProcessCountForNothing() {
        SupervisedProcess process = supervisor.start(petting("host-a", "silent"));
        process.awaitReady(20_000);
        Path socket = directory.resolve("host-a.1.sock");
        try (NotifySocket foreign = NotifySocket.sender(socket.toString())) {
            await().atMost(Duration.ofSeconds(10)).pollInterval(Duration.ofMillis(20)).until(() -> {
                foreign.send("WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=" + Linux.clockBoottimeNs());
                return process.state() == ProcessState.STOPPED;
            });
        }
        assertThat(process.stopRecord().orElseThrow().reason()).isEqualTo(StopReason.WATCHDOG);
    }

    @Test
    void whatAProcessLeavesBehindDiesWithIt() {
        SupervisedProcess process = supervisor.start(sleeping("host-a", "setsid sleep @ & sleep @"));
        await().until(() -> Leftovers.withArgument(mark).size() >= 3);
        process.signalMain(Linux.SIGKILL);

        StopRecord record = process.awaitStopped(10_000);

        assertThat(record.reason()).isEqualTo(StopReason.EXITED);
        assertThat(Leftovers.withArgument(mark)).isEmpty();
        assertThat(process.pids()).isEmpty();
        assertThatThrownBy(() -> process.signalMain(Linux.SIGCONT)).hasMessageStartingWith("PROCESS_UNKNOWN");
    }

    @Test
    void restartsAsItWasWithANewNumber() {
        SupervisedProcess first = supervisor.start(sleeping("zookeeper-1", "exec sleep @"));
        assertThatThrownBy(() -> supervisor.start(sleeping("zookeeper-1", "exec sleep @")))
                .hasMessageStartingWith("PROCESS_START_FAILED").hasMessageContaining("zookeeper-1");
        first.kill();

        SupervisedProcess second = supervisor.restart("zookeeper-1");

        assertThat(second.startNumber()).isEqualTo(2);
        assertThat(second.pid()).isNotEqualTo(first.pid());
        assertThat(supervisor.process("zookeeper-1")).isSameAs(second);
        assertThat(supervisor.stopRecords()).extracting(StopRecord::reason).containsExactly(StopReason.KILLED);
    }

    @Test
    void writesTheEvidenceOfEveryStopToAFile() throws IOException {
        supervisor.start(sleeping("a", "exec sleep @")).kill();
        supervisor.stop(List.of(supervisor.start(sleeping("b", "exec sleep @"))), 5_000);

        List<StopRecord> written = new ArrayList<>();
        for (String line : Files.readAllLines(directory.resolve("stops.jsonl"))) {
            written.add(Json.parse(line, StopRecord.class));
        }

        assertThat(written).isEqualTo(supervisor.stopRecords());
        assertThat(written).extracting(StopRecord::reason).containsExactly(StopReason.KILLED, StopReason.STOPPED);
        assertThat(written.getLast().exitStatus()).isEqualTo(128 + Linux.SIGTERM);
    }

    @Test
    void aProcessThatDoesNotEndWhenAskedIsKilledAfterTheGrace() {
        SupervisedProcess process = supervisor
                .start(sleeping("stubborn", "trap '' TERM; sleep @ & wait; exec sleep @"));
        await().until(() -> process.pids().size() == 2);

        StopRecord record = process.stop(100);

        assertThat(record.reason()).isEqualTo(StopReason.STOPPED);
        assertThat(record.exitStatus()).isEqualTo(128 + Linux.SIGKILL);
    }

    @Test
    void saysWhyAProcessDidNotBecomeReady() {
        SupervisedProcess failing = supervisor.start(petting("host-a", "fail"));
        assertThatThrownBy(() -> failing.awaitReady(20_000)).hasMessageStartingWith("PROCESS_ENDED_EARLY")
                .hasMessageContaining("exitStatus=4").hasMessageContaining("lastWords=the port is taken");

        ProcessSpec never = new ProcessSpec("b", ProcessRole.AGENT, List.of("sleep", mark), Map.of(),
                OptionalLong.empty(), Optional.empty(), directory.resolve("b.log"));
        assertThatThrownBy(() -> supervisor.start(never).awaitReady(50)).hasMessageStartingWith("PROCESS_NOT_READY")
                .hasMessageContaining("process=b");
    }

    @Test
    void aProgramThatIsNotThereIsAnErrorWithItsName() {
        ProcessSpec spec = new ProcessSpec("c", ProcessRole.AGENT, List.of("/nonexistent/program"), Map.of(),
                OptionalLong.empty(), Optional.empty(), directory.resolve("c.log"));

        assertThatThrownBy(() -> supervisor.start(spec).awaitReady(10_000))
                .hasMessageStartingWith("PROCESS_ENDED_EARLY")
                .hasMessageContaining("/nonexistent/program");
    }

    @Test
    void aGuardThatIsKilledIsReplaced() {
        long guard = supervisor.guardPid();
        Linux.kill(guard, Linux.SIGKILL);

        await().until(() -> supervisor.guardPid() != guard);
    }

    @Test
    void refusesNamesThatAreNoFileNames() {
        assertThatThrownBy(() -> sleeping("../x", "true")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> supervisor.process("host-z")).hasMessageStartingWith("PROCESS_UNKNOWN");
    }

    @ParameterizedTest
    @EnumSource(KillGroups.Kind.class)
    void whenTheSupervisorIsKilledEverythingItStartedDies(KillGroups.Kind kind) throws IOException {
        Path run = Files.createDirectory(directory.resolve(Leftovers.run()));
        Files.createFile(run.resolve(".tombolo-run"));
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path"), SupervisorMain.class.getName(), kind.name(), run.toString(),
                mark).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader()) {
            String line = out.readLine();
            while (line != null && !line.startsWith("guard ")) {
                line = out.readLine();
            }
            long guard = Long.parseLong(line.substring(6));
            assertThat(Leftovers.withArgument(mark)).hasSizeGreaterThanOrEqualTo(6);

            Linux.kill(process.pid(), Linux.SIGKILL);

            await().atMost(Duration.ofSeconds(10)).until(() -> Leftovers.withArgument(mark).isEmpty());
            await().atMost(Duration.ofSeconds(10)).until(() -> ProcFs.dead(guard));
            assertThat(run).as("the run directory").doesNotExist();
            CgroupMount.find()
                    .ifPresent(own -> assertThat(own.resolve("tombolo-" + run.getFileName())).doesNotExist());
        } finally {
            process.destroyForcibly();
        }
    }
}
