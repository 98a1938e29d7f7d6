package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.Reply;
import java.util.concurrent.CompletableFuture;

/// A migration that is under way: who watches it and who cancels it find it here. Thread safe.
sealed interface ActiveMigration permits ActiveMigration.Handoff, TransitRunner, CopyMigration {
    Reply.MigrateProgress progress();

    /// Asks it to end; see [#ended].
    void cancel();

    /// The term is over.
    void termEnded();

    /// Completes when it has ended, with true when a cancel is why.
    CompletableFuture<Boolean> ended();

    /// A plain hand-off, or the hand-off of another mode.
    final class Handoff implements ActiveMigration {
        private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
        private HandoffRunner runner;
        private boolean cancelled;

        /// The hand-off is past its preflight. A cancel that came before reaches it now.
        synchronized void started(HandoffRunner started) {
            runner = started;
            if (cancelled) {
                runner.cancel();
            }
        }

        @Override
        public synchronized Reply.MigrateProgress progress() {
            return new Reply.MigrateProgress(runner == null ? MigratePhase.PREPARE : MigratePhase.HANDOFF, 0, 0, 0);
        }

        @Override
        public synchronized void cancel() {
            cancelled = true;
            if (runner != null) {
                runner.cancel();
            }
        }

        /// Its runner is told by who holds it.
        @Override
        public void termEnded() {
            // see above
        }

        @Override
        public CompletableFuture<Boolean> ended() {
            return ended;
        }
    }
}
