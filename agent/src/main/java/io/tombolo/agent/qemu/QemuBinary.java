package io.tombolo.agent.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tombolo.region.TomboloException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A QEMU binary that was asked for its version and is new enough.
///
/// @param path absolute path of the binary
/// @param version as printed, for example `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`
public record QemuBinary(Path path, int major, int minor, String version) {
    /// x-ignore-shared, `-incoming defer` and the events used here are older; 7.2 is the oldest that was tried.
    public static final String MINIMUM = "7.2";

    /// The name looked for on the search path.
    public static final String NAME = "qemu-system-x86_64";

    private static final Pattern VERSION = Pattern.compile("QEMU emulator version ((\\d{1,4})\\.(\\d{1,4})\\S*.*)");
    private static final long TIMEOUT_MS = 10_000;
    private static final int OUTPUT_BYTES = 4096;

    /// The binary `configured`, or the one on `searchPath` (the value of PATH). QEMU_MISSING or QEMU_TOO_OLD if it
    /// cannot be used.
    public static QemuBinary find(Optional<Path> configured, String searchPath) {
        Path path = configured.or(() -> Arrays.stream(searchPath.split(File.pathSeparator)).filter(d -> !d.isEmpty())
                .map(d -> Path.of(d, NAME)).filter(Files::isExecutable).findFirst()).orElseThrow(
                        () -> missing("there is no " + NAME + " on the search path", NAME, null));
        if (!Files.isExecutable(path) || Files.isDirectory(path)) {
            throw missing("the QEMU binary is not an executable file", path, null);
        }
        return probe(path.toAbsolutePath());
    }

    private static QemuBinary probe(Path path) {
        String output = versionOutput(path);
        Matcher matcher = VERSION.matcher(output);
        if (!matcher.lookingAt()) {
            throw tooOld(path, output.lines().findFirst().orElse("nothing"));
        }
        int major = Integer.parseInt(matcher.group(2));
        int minor = Integer.parseInt(matcher.group(3));
        if (major < 7 || (major == 7 && minor < 2)) {
            throw tooOld(path, matcher.group(1));
        }
        return new QemuBinary(path, major, minor, matcher.group(1).strip());
    }

    private static String versionOutput(Path path) {
        try {
            Process process = new ProcessBuilder(path.toString(), "--version").redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).start();
            try (var output = process.getInputStream()) {
                // A version fits a pipe, so that the process never waits for its reader.
                return process.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                        ? new String(output.readNBytes(OUTPUT_BYTES), UTF_8)
                        : "no answer within " + TIMEOUT_MS + " ms";
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw missing("the QEMU binary cannot be executed", path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw missing("interrupted while asking the QEMU binary for its version", path, e);
        }
    }

    private static TomboloException missing(String what, Object path, Throwable cause) {
        return TomboloException.error(QemuError.QEMU_MISSING, what).fact("path", path)
                .next("apt-get install qemu-system-x86, or name the binary in the configuration").cause(cause).build();
    }

    private static TomboloException tooOld(Path path, String found) {
        return TomboloException.error(QemuError.QEMU_TOO_OLD, "the QEMU binary is too old or not QEMU")
                .fact("path", path)
                .fact("found", found).fact("minimum", MINIMUM).next("install QEMU " + MINIMUM + " or newer").build();
    }
}
