package io.tombolo.chaos.generator;

import io.tombolo.chaos.history.HistoryEvent;

/// What a run does next, as a value: asking changes nothing, and the answer holds the generator to ask after it. All
/// randomness comes from seeds, so the same seed gives the same sequence of operations; when they happen, and which
/// thread gets which, depends on how fast the threads are.
///
/// The rules are those of Jepsen's generators. Implementations are immutable.
public interface Generator {
    /// What to do at this moment.
    Next next(Context context);

    /// Hears of every event of the history, its own and others'.
    ///
    /// @param thread whose event it is
    default Generator update(Context context, int thread, HistoryEvent event) {
        return this;
    }

    /// An answer.
    sealed interface Next {
        /// Give this to that thread, which must be free.
        record Emit(int thread, Call call, Generator then) implements Next {
        }

        /// Nothing now; ask again soon, or after the next event.
        record Wait(Generator then) implements Next {
        }

        /// Nothing any more.
        record Done() implements Next {
        }
    }
}
