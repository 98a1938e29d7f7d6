package io.tombolo.region.os;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class LinuxTest {
    @TempDir
    Path directory;

    @Test
    void readsClocksThatAgreeWithTheJvms() {
        long before = System.nanoTime();
        long monotonic = Linux.clockMonotonicNs();
        assertThat(monotonic).isBetween(before, System.nanoTime());
        assertThat(Linux.clockBoottimeNs()).isGreaterThanOrEqualTo(monotonic);
    }

    @Test
    void takesRoomAndPopulatesMappings() throws Exception {
        Path file = directory.resolve("file");
        Files.createFile(file);
        Linux.fallocate(file, 0, 1 << 20);
        assertThat(Files.size(file)).isEqualTo(1 << 20);
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment mapped = channel.map(MapMode.READ_WRITE, 0, 1 << 20, arena);
            Linux.madvise(mapped, Linux.MADV_POPULATE_READ);
            Linux.madvise(mapped, Linux.MADV_POPULATE_WRITE);
            Linux.madvise(mapped, Linux.MADV_HUGEPAGE);
            OsException refused = catchThrowableOfType(OsException.class, () -> Linux.madvise(mapped, 12345));
            assertThat(refused.errnoName()).isEqualTo("EINVAL");
        }
    }

    @Test
    void namesTheErrorOfAFailedCall() {
        OsException missing = catchThrowableOfType(OsException.class,
                () -> Linux.fallocate(directory.resolve("missing"), 0, 1));
        assertThat(missing.errnoName()).isEqualTo("ENOENT");
        assertThat(missing.call()).startsWith("open");
        assertThatThrownBy(() -> Linux.kill(1, Linux.SIGKILL)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Linux.killGroup(0, Linux.SIGKILL)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void watchesAndSignalsAChildThroughAPidfd() throws Exception {
        Process child = new ProcessBuilder("sleep", "60").start();
        try (PidFd pidfd = Linux.pidfdOpen(child.pid())) {
            assertThat(pidfd.awaitExit(0)).isFalse();
            assertThat(Linux.kill(child.pid(), 0)).isTrue();
            assertThat(pidfd.signal(Linux.SIGKILL)).isTrue();
            assertThat(pidfd.awaitExit(10_000)).isTrue();
            assertThat(child.waitFor()).isEqualTo(137);
            assertThat(pidfd.signal(Linux.SIGKILL)).isFalse();
        } finally {
            child.destroyForcibly().waitFor();
        }
    }

    @Test
    void killsAProcessGroup() throws Exception {
        Process child = new ProcessBuilder("setsid", "--wait", "sh", "-c", "echo $$; sleep 60 & wait").start();
        try {
            long group = Long.parseLong(child.inputReader().readLine());
            assertThat(Linux.processGroup(group)).isEqualTo(group);
            assertThat(Linux.killGroup(group, Linux.SIGKILL)).isTrue();
            assertThat(child.waitFor(10, TimeUnit.SECONDS)).isTrue();
        } finally {
            child.destroyForcibly().waitFor();
        }
    }

    @Test
    void bindsAThreadToACpu() throws Exception {
        int[] allowed = Linux.schedGetaffinity(0);
        assertThat(allowed).isNotEmpty();
        Thread bound = Thread.ofPlatform().start(() -> {
            Linux.schedSetaffinity(0, allowed[0]);
            assertThat(Linux.schedGetaffinity(Linux.threadId())).containsExactly(allowed[0]);
        });
        bound.join();
        assertThat(Linux.schedGetaffinity(0)).isEqualTo(allowed);
    }

    @Test
    void saysWhatFileSystemAPathIsOnAndWhichBootThisIs() {
        if (Files.isDirectory(Path.of("/dev/shm"))) {
            assertThat(Linux.fileSystemType(Path.of("/dev/shm"))).isEqualTo(Linux.TMPFS_MAGIC);
        }
        assertThat(Linux.fileSystemType(Path.of("/proc"))).isEqualTo(0x9fa0);
        assertThat(Linux.bootId()).isEqualTo(Linux.bootId());
    }

    @Test
    void passesNotificationsWithTheSendersPid() {
        for (String name : Arrays.asList(directory.resolve("notify").toString(),
                "@tombolo-test-" + System.nanoTime())) {
            try (NotifySocket receiver = NotifySocket.bind(name); NotifySocket sender = NotifySocket.sender(name)) {
                assertThat(receiver.receive(0)).isNull();
                assertThat(sender.send("WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=17")).isTrue();
                assertThat(sender.send("READY=1")).isTrue();
                assertThat(receiver.receive(1000)).isEqualTo(
                        new NotifySocket.Datagram("WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=17",
                                ProcessHandle.current().pid()));
                assertThat(receiver.receive(1000).text()).isEqualTo("READY=1");
                assertThat(receiver.receive(1)).isNull();
                assertThatThrownBy(() -> NotifySocket.bind(name)).isInstanceOf(OsException.class)
                        .hasMessageContaining("EADDRINUSE");
            }
            try (NotifySocket sender = NotifySocket.sender(name)) {
                assertThat(sender.send("nobody there")).isFalse();
            }
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void tellsASenderThatTheQueueIsFull() {
        String name = "@tombolo-test-" + System.nanoTime();
        try (NotifySocket _ = NotifySocket.bind(name); NotifySocket sender = NotifySocket.sender(name)) {
            int sent = 0;
            while (sender.send("x".repeat(1000))) {
                sent++;
                assertThat(sent).isLessThan(100_000);
            }
            assertThat(sent).isPositive();
        }
    }
}
