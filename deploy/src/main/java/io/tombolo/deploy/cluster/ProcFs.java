package io.tombolo.deploy.cluster;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What /proc says about processes (proc(5)). Every answer may be old when it is read; callers repeat.
final class ProcFs {
    private static final Path PROC = Path.of("/proc");

    /// Part of /proc/<pid>/stat.
    record Stat(long pid, char state, long parent, long session, long startTicks) {
    }

    private ProcFs() {
    }

    /// All processes there are, kernel threads included.
    static List<Long> pids() {
        return numbers(PROC);
    }

    static Optional<Stat> stat(long pid) {
        return stat(PROC.resolve(Long.toString(pid)).resolve("stat"));
    }

    private static Optional<Stat> stat(Path file) {
        String text = read(file);
        // The command name is in parentheses and may itself hold spaces and parentheses.
        int end = text.lastIndexOf(')');
        if (end < 0) {
            return Optional.empty();
        }
        String[] fields = text.substring(end + 2).split(" ", -1);
        long pid = Long.parseLong(text.substring(0, text.indexOf(' ')));
        return Optional.of(new Stat(pid, fields[0].charAt(0), Long.parseLong(fields[1]), Long.parseLong(fields[3]),
                Long.parseLong(fields[19])));
    }

    /// True if no thread of the process can execute another instruction. A zombie whose leader has exited is not
    /// enough: /proc/<pid>/stat says Z while other threads of the process still run, so each thread is looked at.
    static boolean dead(long pid) {
        Path tasks = PROC.resolve(Long.toString(pid)).resolve("task");
        for (long tid : numbers(tasks)) {
            Optional<Stat> stat = stat(tasks.resolve(Long.toString(tid)).resolve("stat"));
            if (stat.isPresent() && stat.get().state() != 'Z' && stat.get().state() != 'X') {
                return false;
            }
        }
        return true;
    }

    /// True if the environment the process was started with has an entry that begins with `prefix`.
    static boolean environmentHas(long pid, String prefix) {
        String all = "\0" + read(PROC.resolve(Long.toString(pid)).resolve("environ"));
        return all.contains("\0" + prefix);
    }

    private static List<Long> numbers(Path directory) {
        List<Long> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "[0-9]*")) {
            for (Path entry : entries) {
                found.add(Long.valueOf(entry.getFileName().toString()));
            }
        } catch (NoSuchFileException _) {
            return List.of();
        } catch (IOException | DirectoryIteratorException e) {
            if (Files.exists(directory)) {
                throw new UncheckedIOException(
                        e instanceof IOException io ? io : ((DirectoryIteratorException) e).getCause());
            }
            // The process ended while its directory was read.
            return List.of();
        }
        return found;
    }

    /// Content of a file, empty for a process that has gone or that we may not look at.
    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), ISO_8859_1);
        } catch (IOException _) {
            return "";
        }
    }
}
