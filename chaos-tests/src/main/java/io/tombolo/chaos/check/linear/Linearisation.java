package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;

/// Operations of one part in an order, each with the state after it: all of them that must be there, or as many as were
/// placed. Immutable.
final class Linearisation {
    /// One operation, placed.
    record Step(Operation operation, Object state) {
    }

    private final Part part;
    private final List<Step> steps = new ArrayList<>();
    private final BitSet placed = new BitSet();
    private Object state;
    private int layer;
    private final List<Integer> pendingReads = new ArrayList<>();
    private final List<Integer> pendingIdle = new ArrayList<>();

    /// Follows a search once more, with the model itself and not with its table.
    ///
    /// @param path what was placed by choice: OK operations as they are numbered, unknown ones as their complement
    Linearisation(Part part, int[] path) {
        this.part = part;
        this.state = part.model.initial();
        if (part.size() > 0) {
            begin();
            settle();
            for (int via : path) {
                if (part.blind[kind(via)]) {
                    pendingIdle.removeIf(placed::get);
                    pendingIdle.stream().filter(op -> op != via).forEach(this::place);
                    pendingIdle.clear();
                }
                place(via);
                settle();
            }
        }
    }

    List<Step> steps() {
        return steps;
    }

    Object state() {
        return state;
    }

    boolean isPlaced(int ok) {
        return placed.get(ok);
    }

    private void begin() {
        for (int i = part.startsAt[layer]; i < part.startsAt[layer + 1]; i++) {
            if (part.readsOnly[part.okKind[part.starting[i]]]) {
                pendingReads.add(part.starting[i]);
            } else if (part.idle[part.okKind[part.starting[i]]]) {
                pendingIdle.add(part.starting[i]);
            }
        }
    }

    private void settle() {
        while (true) {
            pendingReads.removeIf(placed::get);
            pendingReads.stream().filter(this::isPossible).toList().forEach(this::place);
            if (!placed.get(layer) || layer + 1 == part.size()) {
                return;
            }
            layer++;
            begin();
        }
    }

    private boolean isPossible(int op) {
        return !Model.isIllegal(part.model.step(state, part.kinds.get(part.okKind[op])));
    }

    private int kind(int via) {
        return via >= 0 ? part.okKind[via] : part.unknownKind[~via];
    }

    private void place(int via) {
        Call call = part.kinds.get(kind(via));
        Object next = part.model.step(state, call);
        if (Model.isIllegal(next)) {
            throw new IllegalStateException("the search placed what does not fit: " + call + " in " + state);
        }
        state = next;
        if (via >= 0) {
            placed.set(via);
        }
        steps.add(new Step(via >= 0 ? part.ok.get(via) : part.unknown.get(~via), state));
    }

    /// Checks this as a proof that the part is linearizable, by the definition: every OK operation once, every other at
    /// most once, none after one that was invoked later than it completed. That each is possible where it stands was
    /// seen when it was placed.
    ///
    /// @throws IllegalStateException if it is none, which is a defect of the search
    void prove() {
        List<Operation> order = steps.stream().map(Step::operation).toList();
        if (order.size() != new HashSet<>(order).size() || placed.cardinality() != part.size()) {
            throw new IllegalStateException("not every operation is placed once");
        }
        long earliestCompletion = Long.MAX_VALUE;
        for (int i = order.size() - 1; i >= 0; i--) {
            Operation operation = order.get(i);
            if (operation.invocation().index() > earliestCompletion) {
                throw new IllegalStateException("placed before an operation that completed earlier: " + operation);
            }
            if (operation.isOk()) {
                earliestCompletion = Math.min(earliestCompletion, operation.completion().index());
            }
        }
    }
}
