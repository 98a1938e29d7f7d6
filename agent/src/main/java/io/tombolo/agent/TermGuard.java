package io.tombolo.agent;

import io.tombolo.region.TomboloException;
import java.util.concurrent.atomic.AtomicLong;

/// The highest coordinator term this process has seen. Thread safe.
///
/// Leadership in ZooKeeper gives no exclusion: a leader that was paused may wake and go on ordering. Its orders carry
/// its old term and are refused by everyone who has heard of a newer one; those who have not are protected by the owner
/// word's epoch.
final class TermGuard {
    private final AtomicLong highest = new AtomicLong();

    long highest() {
        return highest.get();
    }

    /// Notes the term, or refuses it.
    void check(long term) {
        long seen = highest.accumulateAndGet(term, Math::max);
        if (term < seen) {
            throw TomboloException.error(AgentError.STALE_TERM, "the order comes from a leader that has been replaced")
                    .fact("term", term).fact("highestSeen", seen).next("ask the present leader").build();
        }
    }
}
