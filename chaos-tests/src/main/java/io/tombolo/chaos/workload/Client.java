package io.tombolo.chaos.workload;

import io.tombolo.chaos.generator.Call;

/// Carries out the operations of one process, one at a time, on one thread. What it throws counts as INFO.
@FunctionalInterface
public interface Client {
    /// Carries out one operation.
    ///
    /// @param process who asks; after INFO, and only then, another process comes
    Completion invoke(long process, Call call);
}
