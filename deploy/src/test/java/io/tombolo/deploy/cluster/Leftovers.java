package io.tombolo.deploy.cluster;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;

/// What tests of this package share about processes.
final class Leftovers {
    private Leftovers() {
    }

    /// Living processes with this text in their command line.
    static List<Long> withArgument(String text) {
        return ProcessHandle.allProcesses()
                .filter(p -> p.info().arguments().map(a -> String.join(" ", a).contains(text)).orElse(false))
                .map(ProcessHandle::pid).filter(pid -> !ProcFs.dead(pid)).toList();
    }

    static void awaitCount(String text, int count) {
        await().atMost(Duration.ofSeconds(10)).pollInterval(Duration.ofMillis(5))
                .until(() -> withArgument(text).size() == count);
    }

    /// Unique on this machine.
    static String run() {
        return "test-" + ProcessHandle.current().pid() + "-" + Long.toString(System.nanoTime(), 36);
    }
}
