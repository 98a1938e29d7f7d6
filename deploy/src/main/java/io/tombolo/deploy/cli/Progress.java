package io.tombolo.deploy.cli;

import io.tombolo.deploy.drill.BarProgress;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.PlainProgress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/// How a long command tells how far it is: a bar on a terminal, lines otherwise.
final class Progress {
    private Progress() {
    }

    /// @param counted name of what is counted
    static DrillProgress to(PrintWriter err, String counted) {
        return isTerminal() ? new BarProgress(err, counted) : new PlainProgress(err, System::nanoTime);
    }

    /// Whether standard error, where progress goes, is a terminal; the JVM only tells about input and output together.
    private static boolean isTerminal() {
        try {
            String device = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
        } catch (IOException e) {
            return false;
        }
    }
}
