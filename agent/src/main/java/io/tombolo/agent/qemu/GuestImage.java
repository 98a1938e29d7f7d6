package io.tombolo.agent.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/// The Linux guest: a kernel and an initramfs with a program that dirties and checks memory, made by
/// `build-guest-image.sh` from Debian's packages and kept in a cache directory named by a hash of what it was made
/// from.
///
/// @param hash what the directory's name ends with
public record GuestImage(Path kernel, Path initramfs, String hash) {
    private static final List<String> SOURCES = List.of("build-guest-image.sh", "tombolo-guest.c", "init");
    /// Environment variables the script reads; a different file makes a different image.
    private static final List<String> OVERRIDES = List.of("TOMBOLO_GUEST_KERNEL", "TOMBOLO_GUEST_BUSYBOX");
    private static final long BUILD_TIMEOUT_MS = 300_000;

    public GuestImage {
        requireNonNull(kernel, "kernel is null");
        requireNonNull(initramfs, "initramfs is null");
        requireNonNull(hash, "hash is null");
    }

    /// `$XDG_CACHE_HOME/tombolo`, or `~/.cache/tombolo`.
    public static Path defaultCache(Map<String, String> environment) {
        String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
        return cache.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".cache", "tombolo")
                : Path.of(cache, "tombolo");
    }

    /// Where [#ensure] would put the image.
    public static Path directory(Path cache, Map<String, String> environment) {
        return cache.toAbsolutePath().resolve("guest-" + hashOfInputs(environment));
    }

    /// Whether [#ensure] would find an image and not have to build one, which takes seconds and downloads some 30 MB.
    public static boolean isCached(Path cache, Map<String, String> environment) {
        return Files.exists(directory(cache, environment).resolve("manifest"));
    }

    /// The image from `cache`, built first if it is not there. Several processes may do this at once. Checks the files
    /// against their manifest: GUEST_IMAGE_DAMAGED; GUEST_IMAGE_TOOLS_MISSING and the like name what to install.
    public static GuestImage ensure(Path cache, Map<String, String> environment) {
        Path directory = directory(cache, environment);
        try {
            if (!Files.exists(directory.resolve("manifest"))) {
                Files.createDirectories(cache);
                build(directory, environment);
            }
            return open(directory);
        } catch (IOException e) {
            throw TomboloException.error(QemuError.GUEST_IMAGE_FAILED, "the guest image cannot be read or made")
                    .fact("directory", directory).cause(e).build();
        }
    }

    private static GuestImage open(Path directory) throws IOException {
        Properties manifest = new Properties();
        try (var reader = Files.newBufferedReader(directory.resolve("manifest"))) {
            manifest.load(reader);
        }
        for (String file : List.of("vmlinuz", "initramfs")) {
            String expected = manifest.getProperty(file + ".sha256", "nothing");
            String found = HexFormat.of().formatHex(sha256().digest(Files.readAllBytes(directory.resolve(file))));
            if (!found.equals(expected)) {
                throw TomboloException.error(QemuError.GUEST_IMAGE_DAMAGED, "a file of the guest image is damaged")
                        .fact("file", directory.resolve(file)).fact("found", found).fact("expected", expected)
                        .next("rm -r " + directory + ", it is built again when needed").build();
            }
        }
        String name = directory.getFileName().toString();
        return new GuestImage(directory.resolve("vmlinuz"), directory.resolve("initramfs"),
                name.substring(name.indexOf('-') + 1));
    }

    private static void build(Path directory, Map<String, String> environment) throws IOException {
        Path sources = Files.createTempDirectory("tombolo-guest-");
        try {
            for (String source : SOURCES) {
                Files.write(sources.resolve(source), resource(source));
            }
            Path log = sources.resolve("log");
            ProcessBuilder builder = new ProcessBuilder("/bin/sh", sources.resolve(SOURCES.getFirst()).toString(),
                    directory.toString()).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            Process script = builder.start();
            try {
                if (!script.waitFor(BUILD_TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                    throw failed("the image script did not end in time: " + tail(log));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw failed("interrupted while the image script ran");
            } finally {
                script.descendants().forEach(ProcessHandle::destroyForcibly);
                script.destroyForcibly();
            }
            if (script.exitValue() != 0) {
                throw failed(tail(log));
            }
        } finally {
            TempFiles.deleteTree(sources);
        }
    }

    /// Turns the script's last line, `CODE: what. Next: step`, into an error with that code.
    private static TomboloException failed(String line) {
        QemuError code = Arrays.stream(QemuError.values()).filter(c -> line.startsWith(c.name() + ": ")).findFirst()
                .orElse(QemuError.GUEST_IMAGE_FAILED);
        String text = code == QemuError.GUEST_IMAGE_FAILED
                ? "the image script failed: " + line
                : line.substring(code.name().length() + 2);
        int next = text.indexOf(". Next: ");
        return next < 0
                ? TomboloException.error(code, text).build()
                : TomboloException.error(code, text.substring(0, next)).next(text.substring(next + 8)).build();
    }

    private static String tail(Path log) throws IOException {
        return Files.readString(log).strip().lines().reduce((_, last) -> last).orElse("no output");
    }

    private static String hashOfInputs(Map<String, String> environment) {
        MessageDigest digest = sha256();
        for (String source : SOURCES) {
            digest.update(resource(source));
        }
        for (String name : OVERRIDES) {
            String file = environment.getOrDefault(name, "");
            digest.update((name + "=" + file + stamp(file)).getBytes(UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    private static String stamp(String file) {
        if (file.isEmpty() || !Files.exists(Path.of(file))) {
            return "";
        }
        try {
            return " " + Files.size(Path.of(file)) + " " + Files.getLastModifiedTime(Path.of(file)).toMillis();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] resource(String name) {
        try (InputStream stream = GuestImage.class.getResourceAsStream("guest/" + name)) {
            return requireNonNull(stream, "the agent's jar has no guest/" + name).readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
