package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Who needs a state, and who makes it: for models of which every operation that changes something makes one certain
/// state. A state that somebody still needs, and that nobody can make again, must not be left. Immutable.
final class Values {
    private static final int[] NOBODY = {};

    /// The operations that are possible only in one state, and those that make it; OK ones by completion.
    private record Users(int[] needing, int[] making, int[] makingUnknown) {
    }

    private final Map<Object, Users> users = new HashMap<>();

    Values(Part part) {
        boolean all = true;
        for (int k = 0; k < part.kinds.size(); k++) {
            all &= part.readsOnly[k] || part.model.gives(part.kinds.get(k)) != Model.ANY;
        }
        if (!all) {
            return;
        }
        Map<Object, List<Integer>> needing = new HashMap<>();
        Map<Object, List<Integer>> making = new HashMap<>();
        Map<Object, List<Integer>> makingUnknown = new HashMap<>();
        for (int op = 0; op < part.size(); op++) {
            int kind = part.okKind[op];
            Call call = part.kinds.get(kind);
            add(needing, part.model.wants(call), op);
            if (!part.readsOnly[kind]) {
                add(making, part.model.gives(call), op);
            }
        }
        for (int op = 0; op < part.unknownKind.length; op++) {
            add(makingUnknown, part.model.gives(part.kinds.get(part.unknownKind[op])), op);
        }
        needing.forEach((state, ops) -> users.put(state, new Users(array(ops), array(making.get(state)),
                array(makingUnknown.get(state)))));
    }

    private static void add(Map<Object, List<Integer>> map, Object state, int op) {
        if (state != Model.ANY) {
            map.computeIfAbsent(state, _ -> new ArrayList<>()).add(op);
        }
    }

    private static int[] array(List<Integer> list) {
        return list == null ? NOBODY : list.stream().mapToInt(Integer::intValue).toArray();
    }

    /// OK operations that are possible only in that state, by completion.
    int[] needing(Object state) {
        Users found = users.get(state);
        return found == null ? NOBODY : found.needing();
    }

    /// OK operations that make it.
    int[] making(Object state) {
        Users found = users.get(state);
        return found == null ? NOBODY : found.making();
    }

    /// Unknown operations that make it.
    int[] makingUnknown(Object state) {
        Users found = users.get(state);
        return found == null ? NOBODY : found.makingUnknown();
    }
}
