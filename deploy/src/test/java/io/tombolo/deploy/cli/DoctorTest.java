package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.deploy.cli.DoctorLine.Verdict;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DoctorTest {
    private static final Path SHM = Path.of("/dev/shm");

    @TempDir
    Path directory;

    @Test
    void looksAtThisMachineAndEveryLineThatIsNotOkSaysWhatToDo() throws IOException {
        StringWriter out = new StringWriter();

        Tombolo.run(new FakeServices(directory), new PrintWriter(out, true), new PrintWriter(new StringWriter()),
                "doctor", "--json");

        JsonNode lines = new ObjectMapper().readTree(out.toString());
        assertThat(lines).extracting(l -> l.get("check").asText()).contains("jdk", "native access", "cores", "clock",
                "region room", "huge pages", "dax", "open files", "locked memory", "cgroup v2", "qemu", "systemd");
        assertThat(lines).filteredOn(l -> !l.get("verdict").asText().equals("OK"))
                .allSatisfy(l -> assertThat(l.get("next").asText()).isNotEmpty());
    }

    @Test
    void anOldJdkFails() {
        assertThat(DoctorMachine.java(21, "/opt/jdk-21").verdict()).isEqualTo(Verdict.FAIL);
        assertThat(DoctorMachine.java(25, "/opt/jdk-25").verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void nativeAccessThatIsNotEnabledFailsWithTheFlag() {
        assertThat(DoctorMachine.nativeAccess(false).next()).contains("--enable-native-access=ALL-UNNAMED");
        assertThat(DoctorMachine.nativeAccess(true).verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void oneCoreAndASlowClockAreWarnings() {
        assertThat(DoctorMachine.cores(1).verdict()).isEqualTo(Verdict.WARN);
        assertThat(DoctorMachine.cores(2).verdict()).isEqualTo(Verdict.OK);
        assertThat(DoctorMachine.clock("acpi_pm").verdict()).isEqualTo(Verdict.WARN);
        assertThat(DoctorMachine.clock("tsc").verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void aSmallTmpfsIsAWarningAndOneThatCannotBeWrittenAFailure() {
        assertThat(DoctorMachine.regionRoom(SHM, Linux.TMPFS_MAGIC, 64 << 20, true).verdict()).isEqualTo(Verdict.WARN);
        assertThat(DoctorMachine.regionRoom(SHM, Linux.TMPFS_MAGIC, 8L << 30, true).verdict()).isEqualTo(Verdict.OK);
        assertThat(DoctorMachine.regionRoom(SHM, Linux.TMPFS_MAGIC, 8L << 30, false).verdict()).isEqualTo(Verdict.FAIL);
        assertThat(DoctorMachine.regionRoom(Path.of("/home"), 0xEF53, 8L << 30, true).next()).contains("tmpfs");
    }

    @Test
    void hugePagesAreFoundWhenTheyAreMounted() {
        String meminfo = "HugePages_Total:      16\nHugePages_Free:       12\n";

        assertThat(DoctorMachine.hugePages(meminfo, "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n").found())
                .isEqualTo("12 free, mounted at /dev/hugepages");
        assertThat(DoctorMachine.hugePages(meminfo, "").found()).startsWith("none");
    }

    @Test
    void limitsAreReadFromTheKernelsTable() {
        String limits = """
                Limit                     Soft Limit           Hard Limit           Units
                Max open files            256                  4096                 files
                Max locked memory         unlimited            unlimited            bytes
                """;

        assertThat(DoctorMachine.limit(limits, "Max open files")).hasValue(256);
        assertThat(DoctorMachine.limit(limits, "Max locked memory")).isEmpty();
        assertThat(DoctorMachine.openFiles(OptionalLong.of(256)).verdict()).isEqualTo(Verdict.WARN);
        assertThat(DoctorMachine.openFiles(OptionalLong.empty()).verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void aCgroupThatIsMissingOrNotWritableIsAWarning() {
        assertThat(DoctorMachine.cgroup(false, false).verdict()).isEqualTo(Verdict.WARN);
        assertThat(DoctorMachine.cgroup(true, false).next()).contains("Delegate=yes");
        assertThat(DoctorMachine.cgroup(true, true).verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void aZooKeeperServerThatServesIsOkAndOneThatDoesNotIsNot() {
        assertThat(DoctorZooKeeper.answer("zk", "Zookeeper version: 3.9.5-abc, built on x\nMode: standalone\n"))
                .isEqualTo(DoctorLine.ok("zk", "standalone, version 3.9.5"));
        assertThat(DoctorZooKeeper.answer("zk", "This ZooKeeper instance is not currently serving requests").verdict())
                .isEqualTo(Verdict.WARN);
        assertThat(DoctorZooKeeper.ensemble(2, 3).verdict()).isEqualTo(Verdict.WARN);
        assertThat(DoctorZooKeeper.ensemble(3, 3).verdict()).isEqualTo(Verdict.OK);
        assertThat(DoctorZooKeeper.ensemble(1, 2).verdict()).isEqualTo(Verdict.FAIL);
    }

    @Test
    void aUnitWithSystemdsDefaultsFailsWithTheLinesToAddAndADropInMendsIt() throws IOException {
        Path unit = Files.writeString(directory.resolve("agent.service"), "[Service]\nType=notify\nWatchdogSec=1\n");

        assertThat(DoctorSystemd.look(unit.toString())).filteredOn(l -> l.verdict() == Verdict.FAIL)
                .extracting(DoctorLine::next).anySatisfy(n -> assertThat(n).contains("WatchdogSignal=SIGKILL"));
        Path dropIns = Files.createDirectory(directory.resolve("agent.service.d"));
        Files.writeString(dropIns.resolve("10-kill.conf"),
                "[Service]\nWatchdogSignal=SIGKILL\nTimeoutAbortSec=1s\nKillMode=control-group\n");
        assertThat(DoctorSystemd.look(unit.toString())).extracting(DoctorLine::verdict).containsOnly(Verdict.OK);
    }

    @Test
    void aUnitThatIsNowhereFails() {
        assertThat(DoctorSystemd.look("tombolo-nowhere.service").getLast().verdict()).isEqualTo(Verdict.FAIL);
    }

    @Test
    void anUnreachableZooKeeperFails() throws IOException {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }

        List<DoctorLine> lines = DoctorZooKeeper.look("127.0.0.1:" + port);

        assertThat(lines).extracting(DoctorLine::verdict).containsExactly(Verdict.WARN, Verdict.FAIL);
    }
}
