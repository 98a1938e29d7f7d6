package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.List;

/// Linearizability by the definition and nothing else: tries every order of the OK operations and of every choice of
/// the unknown ones. For histories of some eight operations. Shares no code with the checker but the models.
final class BruteForce {
    private BruteForce() {
    }

    static boolean isLinearizable(History history, Model model) {
        List<Operation> operations = history.operations().stream().filter(o -> o.outcome() != OpType.FAIL).toList();
        return fits(operations, new boolean[operations.size()], model.initial(), model);
    }

    private static boolean fits(List<Operation> operations, boolean[] placed, Object state, Model model) {
        boolean all = true;
        long earliest = Long.MAX_VALUE;
        for (int i = 0; i < placed.length; i++) {
            if (!placed[i] && operations.get(i).isOk()) {
                all = false;
                earliest = Math.min(earliest, operations.get(i).completion().index());
            }
        }
        if (all) {
            return true;
        }
        for (int i = 0; i < placed.length; i++) {
            Operation operation = operations.get(i);
            if (placed[i] || operation.invocation().index() > earliest) {
                continue;
            }
            Object next = model.step(state, call(operation));
            if (Model.isIllegal(next)) {
                continue;
            }
            placed[i] = true;
            boolean fits = fits(operations, placed, next, model);
            placed[i] = false;
            if (fits) {
                return true;
            }
        }
        return false;
    }

    private static Call call(Operation operation) {
        return new Call(operation.f(), operation.input(), operation.output(), operation.isOk());
    }
}
