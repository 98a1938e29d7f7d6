package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A model as a table from state and kind of call to state, all of them small numbers, filled in as it is asked. Not
/// thread safe.
final class Transitions {
    static final int ILLEGAL = -1;

    private static final int UNASKED = -2;
    /// Above that a row per state would be mostly empty; the answers go into one hash map.
    private static final int WIDEST_ROW = 512;

    private final Model model;
    private final List<Call> kinds;
    private final List<Object> states = new ArrayList<>();
    private final Map<Object, Integer> ids = new HashMap<>();
    private final boolean wide;
    private int[][] rows = new int[16][];
    private final Map<Long, Integer> sparse = new HashMap<>();
    private final long stateBytes;

    /// State 0 is the initial one.
    Transitions(Model model, List<Call> kinds) {
        this.model = model;
        this.kinds = kinds;
        this.wide = kinds.size() > WIDEST_ROW;
        this.stateBytes = model.stateBytes() + 64 + (wide ? 0 : 4L * kinds.size());
        id(model.initial());
    }

    int step(int state, int kind) {
        if (wide) {
            return sparse.computeIfAbsent((long) state << 32 | kind, _ -> ask(state, kind));
        }
        int[] row = rows[state];
        if (row == null) {
            row = new int[kinds.size()];
            Arrays.fill(row, UNASKED);
            rows[state] = row;
        }
        int next = row[kind];
        if (next == UNASKED) {
            next = ask(state, kind);
            row[kind] = next;
        }
        return next;
    }

    /// See [Model#loses].
    Collection<?> loses(int state, int kind, int next) {
        return model.loses(states.get(state), kinds.get(kind), states.get(next));
    }

    /// About how much is kept.
    long bytes() {
        return states.size() * stateBytes + 80L * sparse.size();
    }

    Object state(int id) {
        return states.get(id);
    }

    private int ask(int state, int kind) {
        Object next = model.step(states.get(state), kinds.get(kind));
        return Model.isIllegal(next) ? ILLEGAL : id(next);
    }

    private int id(Object state) {
        Integer known = ids.get(state);
        if (known != null) {
            return known;
        }
        int id = states.size();
        states.add(state);
        ids.put(state, id);
        if (id == rows.length) {
            rows = Arrays.copyOf(rows, 2 * id);
        }
        return id;
    }
}
