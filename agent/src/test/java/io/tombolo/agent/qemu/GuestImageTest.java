package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class GuestImageTest {
    /// A thread of its own for each: on two cores the common pool has one.
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    @TempDir
    private Path cache;

    /// Kernel and busybox from the image that the other tests use, so that nothing is downloaded again.
    private static Map<String, String> offline() {
        GuestImage image = GuestImage.ensure(GuestImage.defaultCache(System.getenv()), System.getenv());
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("TOMBOLO_GUEST_KERNEL", image.kernel().toString());
        environment.put("TOMBOLO_GUEST_BUSYBOX", "/bin/sh");
        return environment;
    }

    @Test
    void isBuiltOnceAlikeAndWholeThoughSeveralBuildAtOnce() throws IOException {
        Map<String, String> environment = offline();
        assertThat(GuestImage.isCached(cache, environment)).isFalse();
        CompletableFuture<GuestImage> other = CompletableFuture
                .supplyAsync(() -> GuestImage.ensure(cache, environment), THREADS);
        GuestImage image = GuestImage.ensure(cache, environment);
        assertThat(other.join()).isEqualTo(image);
        GuestImage elsewhere = GuestImage.ensure(cache.resolve("other"), environment);
        assertThat(elsewhere.initramfs()).hasSameBinaryContentAs(image.initramfs());
        assertThat(elsewhere.hash()).isEqualTo(image.hash());
        assertThat(GuestImage.isCached(cache, environment)).isTrue();
        try (var files = Files.list(cache)) {
            assertThat(files.map(f -> f.getFileName().toString())).as("nothing unfinished is left")
                    .containsExactlyInAnyOrder("guest-" + image.hash(), "other");
        }
    }

    @Test
    void aDamagedImageIsRefused() throws IOException {
        Map<String, String> environment = offline();
        GuestImage image = GuestImage.ensure(cache, environment);
        try (FileChannel channel = FileChannel.open(image.initramfs(), StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 1);
        }
        assertThatThrownBy(() -> GuestImage.ensure(cache, environment)).hasMessageStartingWith("GUEST_IMAGE_DAMAGED")
                .hasMessageContaining("initramfs").hasMessageContaining("Next: rm -r");
    }

    @Test
    void saysWhatToInstallWhenToolsAreMissing() throws IOException {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("PATH", Files.createDirectory(cache.resolve("empty")).toString());
        assertThatThrownBy(() -> GuestImage.ensure(cache, environment))
                .hasMessageStartingWith("GUEST_IMAGE_TOOLS_MISSING").hasMessageContaining("gcc")
                .hasMessageContaining("apt-get install gcc libc6-dev cpio");
    }

    @Test
    void saysWhichPackageOrFileIsMissing() {
        Map<String, String> environment = offline();
        environment.put("TOMBOLO_GUEST_KERNEL", cache.resolve("none").toString());
        assertThatThrownBy(() -> GuestImage.ensure(cache, environment))
                .hasMessageStartingWith("GUEST_IMAGE_PACKAGE_MISSING").hasMessageContaining("none");
        assertThat(cache).isEmptyDirectory();
    }

    @Test
    void anotherKernelIsAnotherImage() throws IOException {
        Map<String, String> environment = offline();
        Path one = GuestImage.directory(cache, environment);
        Path kernel = Files.writeString(cache.resolve("kernel"), "a");
        environment.put("TOMBOLO_GUEST_KERNEL", kernel.toString());
        Path two = GuestImage.directory(cache, environment);
        Files.writeString(kernel, "ab");
        assertThat(GuestImage.directory(cache, environment)).isNotEqualTo(two).isNotEqualTo(one);
    }
}
