package io.tombolo.chaos.workload;

import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.generator.Generator;
import java.util.List;

/// What clients do, and the checkers of their history.
public interface Workload {
    String name();

    /// Threads of clients.
    int clients();

    /// What the clients do while faults happen; without end.
    Generator operations();

    /// What they do when everything is healed.
    Generator lastLooks();

    /// Time between two calls of all clients together.
    long paceNs();

    /// The client of a thread.
    Client client(int thread);

    /// What has to hold of the history.
    List<Checker> checkers();

    /// Pause between two migrations of the guest, on average.
    long migrationPauseNs();
}
