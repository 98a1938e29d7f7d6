package io.tombolo.chaos.history;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What happened in a run, in the order in which one observer saw it. The order of the list is the real-time order: an
/// operation whose completion stands before another's invocation happened before it. Immutable.
public final class History {
    private final List<HistoryEvent> events;
    private final List<Operation> operations;

    private History(List<HistoryEvent> events, List<Operation> operations) {
        this.events = events;
        this.operations = operations;
    }

    /// Pairs invocations with completions.
    ///
    /// @throws TomboloException `HISTORY_INCONSISTENT` if an index does not grow, a process has two operations open, or
    ///                          a completion has no invocation or another `f` than it
    public static History of(List<HistoryEvent> events) {
        List<HistoryEvent> copy = List.copyOf(requireNonNull(events, "events is null"));
        List<Operation> operations = new ArrayList<>(copy.size() / 2 + 1);
        Map<Long, Integer> open = new HashMap<>();
        long last = -1;
        for (HistoryEvent event : copy) {
            if (event.index() <= last) {
                throw inconsistent(event, "its index does not grow").fact("before", last).build();
            }
            last = event.index();
            if (event.isNemesis()) {
                continue;
            }
            if (event.type() == OpType.INVOKE) {
                if (open.put(event.process(), operations.size()) != null) {
                    throw inconsistent(event, "its process has an operation open").build();
                }
                operations.add(new Operation(event, null));
                continue;
            }
            Integer place = open.remove(event.process());
            if (place == null) {
                throw inconsistent(event, "its process has no operation open").build();
            }
            HistoryEvent invocation = operations.get(place).invocation();
            if (!invocation.f().equals(event.f())) {
                throw inconsistent(event, "its process has another operation open").fact("open", invocation.f())
                        .build();
            }
            operations.set(place, new Operation(invocation, event));
        }
        return new History(copy, List.copyOf(operations));
    }

    private static TomboloException.Builder inconsistent(HistoryEvent event, String what) {
        return TomboloException.error(ChaosError.HISTORY_INCONSISTENT, "an event does not fit: " + what)
                .fact("index", event.index()).fact("process", event.process()).fact("type", event.type().word())
                .fact("f", event.f()).next("look at how the history was recorded, or converted");
    }

    /// All events, those of nemeses too.
    public List<HistoryEvent> events() {
        return events;
    }

    /// The operations in the order of their invocations, without those of nemeses.
    public List<Operation> operations() {
        return operations;
    }
}
