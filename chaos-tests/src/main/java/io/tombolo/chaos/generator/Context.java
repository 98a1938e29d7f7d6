package io.tombolo.chaos.generator;

import java.util.List;
import java.util.function.IntPredicate;

/// What a generator may look at. Immutable.
///
/// @param nowNs nanoseconds since the run began
/// @param free  threads that have nothing to do, in the order in which they should be given something; [#NEMESIS] is
///              one of them when it has nothing to do
/// @param all   all threads that the generator may use, in ascending order
public record Context(long nowNs, List<Integer> free, List<Integer> all) {
    /// The thread of the nemeses.
    public static final int NEMESIS = -1;

    public Context {
        free = List.copyOf(free);
        all = List.copyOf(all);
    }

    /// The same with only some of the threads.
    public Context only(IntPredicate threads) {
        return new Context(nowNs, free.stream().filter(threads::test).toList(),
                all.stream().filter(threads::test).toList());
    }

    /// Whether every thread has nothing to do.
    public boolean quiet() {
        return free.size() == all.size();
    }
}
