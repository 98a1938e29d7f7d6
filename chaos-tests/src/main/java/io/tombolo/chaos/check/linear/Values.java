package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.model.Call;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Who needs what in a state, and who brings it; see [io.tombolo.chaos.check.model.Model#needs]. What somebody needs
/// and nobody can bring again in time must not be lost. Immutable.
final class Values {
    /// Long lists, read often, need very much; not to see some of it only makes the search longer.
    private static final int MOST = 8_000_000;
    private static final int[] NOBODY = {};

    /// OK operations by completion, and unknown ones.
    static final class Users {
        private static final Users NONE = new Users(NOBODY, NOBODY, NOBODY);

        final int[] needing;
        final int[] bringing;
        final int[] bringingUnknown;

        Users(int[] needing, int[] bringing, int[] bringingUnknown) {
            this.needing = needing;
            this.bringing = bringing;
            this.bringingUnknown = bringingUnknown;
        }
    }

    private final Map<Object, Users> users = new HashMap<>();

    Values(Part part) {
        Map<Object, List<Integer>> needing = new HashMap<>();
        Map<Object, List<Integer>> bringing = new HashMap<>();
        Map<Object, List<Integer>> bringingUnknown = new HashMap<>();
        int room = MOST;
        for (int op = 0; op < part.size(); op++) {
            Call call = part.kinds.get(part.okKind[op]);
            Collection<?> needs = part.model.needs(call);
            room -= needs.size();
            if (room >= 0) {
                add(needing, needs, op);
            }
            add(bringing, part.model.brings(call), op);
        }
        for (int op = 0; op < part.unknownKind.length; op++) {
            add(bringingUnknown, part.model.brings(part.kinds.get(part.unknownKind[op])), op);
        }
        needing.forEach((what, ops) -> users.put(what,
                new Users(array(ops), array(bringing.get(what)), array(bringingUnknown.get(what)))));
    }

    private static void add(Map<Object, List<Integer>> map, Collection<?> what, int op) {
        for (Object thing : what) {
            map.computeIfAbsent(thing, _ -> new ArrayList<>(1)).add(op);
        }
    }

    private static int[] array(List<Integer> list) {
        return list == null ? NOBODY : list.stream().mapToInt(Integer::intValue).toArray();
    }

    /// Nobody, if nobody needs it.
    Users of(Object what) {
        return users.getOrDefault(what, Users.NONE);
    }
}
