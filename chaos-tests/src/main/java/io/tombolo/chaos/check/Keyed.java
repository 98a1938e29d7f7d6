package io.tombolo.chaos.check;

import io.tombolo.chaos.ChaosError;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// An operation without its independent key: the key, and what the operation was given and answered for it.
///
/// @param key    null if the history is about one object
/// @param input  the arguments
/// @param output the answer of an OK operation, otherwise null
public record Keyed(Operation operation, Object key, Object input, Object output) {
    /// Takes the key out of the values.
    ///
    /// @param independent whether the value of every operation is a pair of its key and its own value
    /// @throws TomboloException `HISTORY_NOT_OF_MODEL` if a value is no such pair, or a completion has another key
    public static Keyed of(Operation operation, boolean independent) {
        if (!independent) {
            return new Keyed(operation, null, operation.input(), operation.output());
        }
        List<?> asked = pair(operation, operation.input());
        if (!operation.isOk()) {
            return new Keyed(operation, asked.getFirst(), asked.getLast(), null);
        }
        List<?> answered = pair(operation, operation.output());
        if (!Objects.equals(asked.getFirst(), answered.getFirst())) {
            throw notOfModel(operation, "its completion has another key than its invocation").build();
        }
        return new Keyed(operation, asked.getFirst(), asked.getLast(), answered.getLast());
    }

    /// The operations that may have happened, by key, in the order of their invocations.
    public static Map<Object, List<Keyed>> byKey(History history, boolean independent) {
        Map<Object, List<Keyed>> byKey = new LinkedHashMap<>();
        for (Operation operation : history.operations()) {
            if (operation.outcome() != OpType.FAIL) {
                Keyed keyed = of(operation, independent);
                byKey.computeIfAbsent(keyed.key(), _ -> new ArrayList<>()).add(keyed);
            }
        }
        return byKey;
    }

    public String f() {
        return operation.f();
    }

    public boolean isOk() {
        return operation.isOk();
    }

    /// Index of the invocation.
    public long invoked() {
        return operation.invocation().index();
    }

    /// Index of the completion of an OK operation; later than anything for others.
    public long completed() {
        return isOk() ? operation.completion().index() : Long.MAX_VALUE;
    }

    private static List<?> pair(Operation operation, Object value) {
        if (value instanceof List<?> pair && pair.size() == 2) {
            return pair;
        }
        throw notOfModel(operation, "with independent keys every value is a list of two, key and value").build();
    }

    /// An operation that a checker cannot read.
    public static TomboloException.Builder notOfModel(Operation operation, String complaint) {
        return TomboloException
                .error(ChaosError.HISTORY_NOT_OF_MODEL, "an operation is none of the model: " + complaint)
                .fact("index", operation.invocation().index()).fact("f", operation.f())
                .fact("value", operation.input()).next("choose another model, or leave such operations out");
    }
}
