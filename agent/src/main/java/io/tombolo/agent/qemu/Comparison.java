package io.tombolo.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongConsumer;

/// Moves a guest by QEMU's own means, scripted over QMP, without anything of Tombolo between: what the hand-off is
/// measured against. The target runs by itself when it has loaded, which Tombolo cannot allow.
abstract sealed class Comparison permits BareHop, PreCopy {
    /// The checker has filled its working set and dirties it.
    private static final long BEATS_BEFORE_A_MOVE = 3;
    private static final long PROGRESS_MS = 60_000;
    private static final long MOVE_MS = 120_000;

    private final ComparisonSetup setup;
    private final String name;
    private final boolean ignoreShared;

    Comparison(ComparisonSetup setup, String name, boolean ignoreShared) {
        this.setup = setup;
        this.name = name;
        this.ignoreShared = ignoreShared;
    }

    /// Guest memory of one process; `directory` is removed afterwards.
    abstract QemuDefinition.Memory memory(Path directory, long bytes) throws IOException;

    /// Lets the target listen; the URI for the source.
    abstract String listen(QemuGuest target);

    /// Boots the guest and moves it `runs` times, each time to a fresh process, checking that it goes on and finds its
    /// memory as it was.
    ///
    /// @param progress told the number of moves done
    public ComparisonResult run(int runs, LongConsumer progress) {
        Path directory = null;
        Path memory = null;
        try {
            directory = TempFiles.privateDirectory(setup.runDirectory(), "cmp");
            memory = TempFiles.privateDirectory(setup.memoryDirectory(), "cmp");
            return new ComparisonResult(move(runs, progress, directory, memory));
        } catch (IOException e) {
            throw TomboloException.error(QemuError.QEMU_DIED, "the comparison's files cannot be made")
                    .fact("runDirectory", setup.runDirectory()).fact("memoryDirectory", setup.memoryDirectory())
                    .cause(e)
                    .build();
        } finally {
            remove(directory);
            remove(memory);
        }
    }

    private List<ComparisonResult.Run> move(int runs, LongConsumer progress, Path directory, Path memory)
            throws IOException {
        List<ComparisonResult.Run> results = new ArrayList<>();
        QemuDefinition.Memory backing = memory(memory, setup.memoryBytes());
        QemuGuest source = QemuGuest.start(definition(directory, backing, 0), QemuCommandLine.Role.BOOT, ignoreShared);
        try {
            source.cont();
            awaitProgress(source);
            for (int i = 1; i <= runs; i++) {
                QemuGuest target = QemuGuest.start(definition(directory, backing, i),
                        QemuCommandLine.Role.INCOMING_AUTOSTART, ignoreShared);
                try {
                    results.add(moveOnce(source, target));
                    awaitProgress(target);
                } catch (RuntimeException e) {
                    target.kill();
                    throw e;
                }
                source.kill();
                source = target;
                progress.accept(i);
            }
        } finally {
            source.kill();
        }
        return results;
    }

    private ComparisonResult.Run moveOnce(QemuGuest source, QemuGuest target) {
        String uri = listen(target);
        long sourceMark = source.markAfterRoundTrip();
        long targetMark = target.markAfterRoundTrip();
        long orderedNs = System.nanoTime();
        source.call("migrate", Map.of("uri", uri));
        QmpEvent end = source.qmp().awaitEvent(sourceMark, "end of the move",
                QmpEvent.migration("completed", "failed", "cancelled"), MOVE_MS);
        JsonNode facts = source.call("query-migrate", Map.of());
        if (!end.data().path("status").asText().equals("completed")) {
            throw TomboloException.error(QemuError.STATE_SAVE_FAILED, "QEMU did not complete its own migration")
                    .fact("kind", name).fact("reason", facts.path("error-desc").asText("none")).build();
        }
        QmpEvent resumed = target.qmp().awaitEvent(targetMark, "RESUME", QmpEvent.named("RESUME"), MOVE_MS);
        QmpEvent stopped = source.qmp().awaitEvent(sourceMark, "STOP", QmpEvent.named("STOP"), MOVE_MS);
        return new ComparisonResult.Run(resumed.atNs() - orderedNs, resumed.atNs() - stopped.atNs(),
                facts.path("ram").path("transferred").asLong());
    }

    private static void awaitProgress(QemuGuest guest) {
        GuestConsole console = new GuestConsole(guest.definition().consoleFile());
        long first = console.await(b -> b.iterations() > 0, PROGRESS_MS).number();
        console.await(b -> b.number() >= first + BEATS_BEFORE_A_MOVE, PROGRESS_MS);
    }

    private QemuDefinition definition(Path directory, QemuDefinition.Memory memory, int number) {
        return new QemuDefinition(name, new UUID(0, 2), memory, setup.memoryBytes(), setup.vcpus(), setup.binary(),
                setup.accelerator(), setup.image(), setup.load(), directory, directory.resolve("console" + number),
                List.of());
    }

    private static void remove(Path directory) {
        if (directory == null) {
            return;
        }
        try {
            TempFiles.deleteTree(directory);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /// Makes a file of `bytes` zeroes that takes no room yet.
    static Path sparseFile(Path file, long bytes) throws IOException {
        Files.createFile(file);
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
            opened.setLength(bytes);
        }
        return file;
    }

}
