package io.tombolo.agent.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads what a guest prints: its checker's heartbeats and complaints. Thread safe.
///
/// A hop may cut a line between the consoles of two hosts; the pieces are not lines of the checker and are passed over.
/// An error is not lost by that: each heartbeat repeats the count.
public final class GuestConsole {
    private static final Pattern BEAT = Pattern.compile("TOMBOLO-GUEST beat=(\\d+) up_ms=(\\d+) iterations=(\\d+)"
            + " bytes=(\\d+) errors=(\\d+) gap_us=(\\d+) gaps=(\\d+)");
    private static final int MAX_LINE = 4096;
    private static final long LOOK_EVERY_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Path file;
    private final ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
    private final StringBuilder line = new StringBuilder();
    private long position;
    private Beat latest;
    private String complaint = "";

    /// One heartbeat.
    ///
    /// @param number counts from 1, goes on after a hop
    /// @param upMs time of the guest's own clock since the checker started
    /// @param iterations pages checked and rewritten
    /// @param bytes bytes so rewritten
    /// @param errors checks that failed
    /// @param gapUs longest time between two page visits of a worker since the last heartbeat, on the guest's
    /// CLOCK_MONOTONIC
    /// @param gaps how many such times were longer than 10 ms since the start
    public record Beat(long number, long upMs, long iterations, long bytes, long errors, long gapUs, long gaps) {
    }

    public GuestConsole(Path file) {
        this.file = requireNonNull(file, "file is null");
    }

    /// The newest heartbeat on this console.
    public synchronized Optional<Beat> latest() {
        look();
        return Optional.ofNullable(latest);
    }

    /// The first line in which the guest said that its memory or its program is broken; empty if it has not.
    public synchronized String complaint() {
        look();
        return complaint;
    }

    /// Waits for a heartbeat; GUEST_FAILED if the guest complains, QEMU_TIMEOUT if none comes. A file has no event to
    /// wait for, so this looks every 5 ms.
    public Beat await(Predicate<Beat> wanted, long timeoutMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (true) {
            Optional<Beat> beat = latest();
            if (!complaint().isEmpty() || beat.filter(b -> b.errors() > 0).isPresent()) {
                throw TomboloException.error(QemuError.GUEST_FAILED, "the guest found a fault").fact("console", file)
                        .fact("line", complaint()).fact("beat", beat).build();
            }
            if (beat.filter(wanted).isPresent()) {
                return beat.get();
            }
            if (System.nanoTime() - deadlineNs >= 0 || Thread.currentThread().isInterrupted()) {
                throw TomboloException.error(QemuError.QEMU_TIMEOUT, "the guest made no progress").fact("console", file)
                        .fact("beat", beat).fact("timeoutMs", timeoutMs).build();
            }
            LockSupport.parkNanos(LOOK_EVERY_NS);
        }
    }

    private void look() {
        if (!Files.exists(file)) {
            return;
        }
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            channel.position(position);
            while (channel.read(buffer.clear()) > 0) {
                position += buffer.position();
                for (char c : UTF_8.decode(buffer.flip()).toString().toCharArray()) {
                    if (c == '\n') {
                        lineEnded();
                    } else if (line.length() < MAX_LINE) {
                        line.append(c);
                    }
                }
            }
        } catch (IOException e) {
            throw TomboloException.error(QemuError.GUEST_FAILED, "the guest's console cannot be read")
                    .fact("console", file).cause(e).build();
        }
    }

    private void lineEnded() {
        Matcher beat = BEAT.matcher(line);
        if (beat.find()) {
            latest = new Beat(number(beat, 1), number(beat, 2), number(beat, 3), number(beat, 4), number(beat, 5),
                    number(beat, 6), number(beat, 7));
        } else if (complaint.isEmpty() && (line.indexOf("TOMBOLO-GUEST-CORRUPTION") >= 0
                || line.indexOf("TOMBOLO-GUEST-FAILED") >= 0 || line.indexOf("Kernel panic") >= 0)) {
            complaint = line.toString().strip();
        }
        line.setLength(0);
    }

    private static long number(Matcher beat, int group) {
        return Long.parseUnsignedLong(beat.group(group));
    }
}
