package io.tombolo.chaos.workload;

import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// What clients do, and the checkers of their history.
public interface Workload {
    /// Threads of clients.
    int clients();

    /// Kinds of operations.
    Set<String> kinds();

    /// What the clients do while faults happen; without end.
    Generator operations();

    /// What they do when everything is healed.
    Generator lastLooks();

    /// The client of a thread.
    Client client(int thread);

    /// What has to hold of the history.
    List<Checker> checkers();

    /// One read of every key that has a guest when this is first asked.
    static Generator readsOf(Homes homes) {
        return context -> {
            List<Long> keys = homes.living();
            return Generators.limit(keys.size(), Generators
                    .calls(n -> new Call("read", Arrays.asList(keys.get((int) n % keys.size()), null))))
                    .next(context);
        };
    }
}
