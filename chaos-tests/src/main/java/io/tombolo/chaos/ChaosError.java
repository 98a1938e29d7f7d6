package io.tombolo.chaos;

import io.tombolo.region.ErrorCode;

/// Every way in which chaos runs, the simulator and the checkers refuse. Exit status: 1 internal, 2 bad input, 3
/// refused because of a state, 4 environment, 5 damage. Names are stable: scripts match on them.
public enum ChaosError implements ErrorCode {
    /// The network of a chaos run, its proxies or its namespaces, cannot be made.
    CHAOS_NETWORK(4),
    /// The result folder of a chaos run cannot be written.
    CHAOS_RESULT_NOT_WRITTEN(4),
    /// A folder is not the result folder of a run, or of one that did not come to its end.
    CHAOS_RESULT_UNREADABLE(2),
    /// The log of who executed when is full or damaged.
    CHAOS_RUN_LOG(5),
    /// The heap does not hold the worlds of an exploration.
    EXPLORATION_HEAP_TOO_SMALL(4),
    /// A history file is not there or cannot be read.
    HISTORY_UNREADABLE(2),
    /// A history file is neither EDN nor JSON lines, or has an event that is not one.
    HISTORY_MALFORMED(2),
    /// A history file, or something in it, is larger or deeper than a reader takes.
    HISTORY_TOO_LARGE(2),
    /// The events of a history do not fit together: a completion without an invocation, an index that goes back.
    HISTORY_INCONSISTENT(2),
    /// The journal of a run, or another form of its history, cannot be written.
    HISTORY_NOT_WRITTEN(4),
    /// A history has an operation that the model does not have, or with a value of the wrong form.
    HISTORY_NOT_OF_MODEL(2),
    /// The initial state given for a model is none of it.
    INITIAL_STATE_INVALID(2);

    private final int exitStatus;

    ChaosError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}
