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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// Kills, stops or holds this process once, at the moment that the file [#ORDER] of its run directory names. The file
/// is renamed to [#HALTED] first, so that whoever ordered it sees that the moment was reached, and so that it happens
/// once.
public final class HandoffHalt implements Consumer<HandoffPoint> {
    /// Holds one line, `POINT ACTION`.
    public static final String ORDER = "halt-at";
    /// What the order becomes when it is carried out.
    public static final String HALTED = "halted";

    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Path order;
    private final Path halted;

    /// @param directory the agent's run directory
    public HandoffHalt(Path directory) {
        requireNonNull(directory, "directory is null");
        this.order = directory.resolve(ORDER);
        this.halted = directory.resolve(HALTED);
    }

    /// Writes the order for a process with that run directory.
    public static void order(Path directory, HandoffPoint point, HaltAction action) {
        try {
            Files.deleteIfExists(directory.resolve(HALTED));
            Path fresh = Files.writeString(directory.resolve(ORDER + ".new"), point + " " + action);
            Files.move(fresh, directory.resolve(ORDER), StandardCopyOption.ATOMIC_MOVE);
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
            Files.move(order, halted, StandardCopyOption.ATOMIC_MOVE);
            halt(HaltAction.valueOf(words[1]));
        } catch (NoSuchFileException _) {
            // No order, or another thread carries it out.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void halt(HaltAction action) {
        switch (action) {
            case KILL -> Linux.kill(ProcessHandle.current().pid(), Linux.SIGKILL);
            case STOP -> Linux.raise(Linux.SIGSTOP);
            case HOLD -> {
                while (Files.exists(halted)) {
                    LockSupport.parkNanos(LOOK_NS);
                }
            }
        }
    }
}
