package io.tombolo.chaos;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// Kills, stops or holds this process once, at the moment that the file [#ORDER] of its run directory names. It becomes
/// the file [#HALTED], which says who did it and when, so that whoever ordered it sees that the moment was reached, and
/// so that it happens once.
public final class HandoffHalt implements Consumer<HandoffPoint> {
    /// Holds one line, `POINT ACTION MS`; the last is how long a thread is held at most.
    public static final String ORDER = "halt-at";
    /// What the order becomes when it is carried out: [Halted] on one line.
    public static final String HALTED = "halted";

    private static final String CARRIED_OUT = "halt-now";
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long HOLD_MS = 60_000;

    private final Path order;
    private final Path carriedOut;
    private final Path halted;

    /// An order that was carried out.
    ///
    /// @param pid     process that did
    /// @param sinceNs CLOCK_MONOTONIC of this machine
    /// @param holdMs  how long a thread is held at most
    public record Halted(HandoffPoint point, HaltAction action, long pid, long sinceNs, long holdMs) {
        private static Halted of(String line) {
            String[] words = line.split(" ", -1);
            return new Halted(HandoffPoint.valueOf(words[0]), HaltAction.valueOf(words[1]), Long.parseLong(words[2]),
                    Long.parseLong(words[3]), Long.parseLong(words[4]));
        }

        private String line() {
            return point + " " + action + " " + pid + " " + sinceNs + " " + holdMs;
        }
    }

    /// @param directory the agent's run directory
    public HandoffHalt(Path directory) {
        requireNonNull(directory, "directory is null");
        this.order = directory.resolve(ORDER);
        this.carriedOut = directory.resolve(CARRIED_OUT);
        this.halted = directory.resolve(HALTED);
    }

    /// Writes the order for a process with that run directory.
    public static void order(Path directory, HandoffPoint point, HaltAction action) {
        order(directory, point, action, HOLD_MS);
    }

    /// The same with the longest time that a thread is held.
    public static void order(Path directory, HandoffPoint point, HaltAction action, long holdMs) {
        try {
            Files.deleteIfExists(directory.resolve(HALTED));
            Path fresh = Files.writeString(directory.resolve(ORDER + ".new"), point + " " + action + " " + holdMs);
            Files.move(fresh, directory.resolve(ORDER), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What became of the order for a process with that run directory; empty if it was not carried out.
    public static Optional<Halted> halted(Path directory) {
        try {
            return Optional.of(Halted.of(Files.readString(directory.resolve(HALTED))));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void accept(HandoffPoint point) {
        try {
            String[] words = Files.readString(order).split(" ", -1);
            if (!words[0].equals(point.name())) {
                return;
            }
            Files.move(order, carriedOut, StandardCopyOption.ATOMIC_MOVE);
            Halted now = new Halted(point, HaltAction.valueOf(words[1]), ProcessHandle.current().pid(),
                    System.nanoTime(), Long.parseLong(words[2]));
            Files.writeString(carriedOut, now.line());
            Files.move(carriedOut, halted, StandardCopyOption.ATOMIC_MOVE);
            halt(now);
        } catch (NoSuchFileException _) {
            // No order, or another thread carries it out.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void halt(Halted now) {
        switch (now.action()) {
            case KILL -> Linux.kill(ProcessHandle.current().pid(), Linux.SIGKILL);
            case STOP -> Linux.raise(Linux.SIGSTOP);
            case HOLD -> {
                long untilNs = now.sinceNs() + TimeUnit.MILLISECONDS.toNanos(now.holdMs());
                while (Files.exists(halted) && System.nanoTime() - untilNs < 0) {
                    LockSupport.parkNanos(LOOK_NS);
                }
            }
        }
    }
}
