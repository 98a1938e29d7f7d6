package io.tombolo.coordinator;

import java.util.Collection;
import java.util.List;

/// Waiting for threads.
public final class Threads {
    private Threads() {
    }

    /// Returns when the thread has ended, also when the caller is interrupted meanwhile; it finds its mark set then.
    public static void awaitEnd(Thread thread) {
        awaitEnd(List.of(thread));
    }

    /// The same for all of them.
    public static void awaitEnd(Collection<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
