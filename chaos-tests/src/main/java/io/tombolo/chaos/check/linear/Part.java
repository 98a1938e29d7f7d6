package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// The operations on one object, as the search wants them. Time is cut into layers: layer r ends with the completion of
/// operation r, so OK operations are numbered by their completions, and an operation is pending in the layers from that
/// of its invocation to its own. Immutable once made.
///
/// FAIL operations are gone. Of the unknown ones (INFO) are gone: those that only read, those that can make no
/// difference, and those invoked after the last completion. Equal unknown ones are one class: which of them happened
/// makes no difference, so they happen in the order of their invocations.
final class Part {
    final Object key;
    final Model model;
    /// OK operations by completion.
    final List<Operation> ok = new ArrayList<>();
    /// Unknown operations, class after class, in a class by invocation.
    final List<Operation> unknown = new ArrayList<>();
    final List<Call> kinds = new ArrayList<>();
    /// By kind: leaves every state as it is.
    final boolean[] readsOnly;
    /// By kind: is possible in every state, and the state after it does not depend on the one before.
    final boolean[] blind;
    /// By kind: is possible in every state, and nobody could tell if it had not happened.
    final boolean[] idle;
    final Values values;
    /// By OK operation.
    final int[] okKind;
    final int[] okFrom;
    /// A place among the pending operations, free again after its own layer.
    final int[] okSlot;
    final int slots;
    /// The OK operations that become pending in layer r: `starting[startsAt[r]]` to before `startsAt[r + 1]`.
    final int[] starting;
    final int[] startsAt;
    /// By unknown operation.
    final int[] unknownKind;
    final int[] unknownFrom;
    /// By class: from there to before the next one's.
    final int[] classStart;
    /// Unknown operations that were dropped.
    final int dropped;

    private final Map<Call, Integer> kindIds = new HashMap<>();

    /// @param calls what the model sees of each operation
    Part(Object key, Model model, List<Operation> operations, List<Call> calls) {
        this.key = key;
        this.model = model;
        IdentityHashMap<Operation, Call> callOf = new IdentityHashMap<>();
        List<Operation> maybe = new ArrayList<>();
        for (int i = 0; i < operations.size(); i++) {
            Operation operation = operations.get(i);
            callOf.put(operation, calls.get(i));
            if (operation.isOk()) {
                ok.add(operation);
            } else if (operation.outcome() == OpType.INFO) {
                maybe.add(operation);
            }
        }
        ok.sort(Comparator.comparingLong(o -> o.completion().index()));
        List<Operation> kept = withoutIdle(maybe, callOf);
        dropped = maybe.size() - kept.size();
        okKind = ok.stream().mapToInt(o -> kind(callOf.get(o))).toArray();
        okFrom = layers(ok);
        kept.sort(Comparator.comparingInt((Operation o) -> kind(callOf.get(o)))
                .thenComparingLong(o -> o.invocation().index()));
        unknown.addAll(kept);
        unknownKind = unknown.stream().mapToInt(o -> kind(callOf.get(o))).toArray();
        unknownFrom = layers(unknown);
        classStart = classes();
        readsOnly = new boolean[kinds.size()];
        blind = new boolean[kinds.size()];
        idle = new boolean[kinds.size()];
        Predicate<Call> relevant = model.relevant(kinds);
        for (int i = 0; i < readsOnly.length; i++) {
            Call kind = kinds.get(i);
            readsOnly[i] = model.readsOnly(kind);
            blind[i] = model.blind(kind);
            idle[i] = model.always(kind) && !readsOnly[i] && !relevant.test(kind);
        }
        values = new Values(this);
        startsAt = new int[ok.size() + 1];
        starting = new int[ok.size()];
        fillStarts();
        okSlot = new int[ok.size()];
        slots = fillSlots();
    }

    int size() {
        return ok.size();
    }

    private List<Operation> withoutIdle(List<Operation> maybe, IdentityHashMap<Operation, Call> callOf) {
        if (ok.isEmpty()) {
            return new ArrayList<>();
        }
        long last = ok.getLast().completion().index();
        List<Operation> kept = new ArrayList<>(maybe);
        kept.removeIf(o -> o.invocation().index() > last || model.readsOnly(callOf.get(o)));
        int before;
        do {
            before = kept.size();
            Set<Call> calls = new HashSet<>();
            ok.forEach(o -> calls.add(callOf.get(o)));
            kept.forEach(o -> calls.add(callOf.get(o)));
            Predicate<Call> relevant = model.relevant(calls);
            kept.removeIf(o -> !relevant.test(callOf.get(o)));
        } while (kept.size() < before);
        return kept;
    }

    private int kind(Call call) {
        return kindIds.computeIfAbsent(call, c -> {
            kinds.add(c);
            return kinds.size() - 1;
        });
    }

    /// How many completions come before each invocation.
    private int[] layers(List<Operation> operations) {
        long[] completions = ok.stream().mapToLong(o -> o.completion().index()).toArray();
        return operations.stream().mapToInt(o -> -Arrays.binarySearch(completions, o.invocation().index()) - 1)
                .toArray();
    }

    private int[] classes() {
        List<Integer> starts = new ArrayList<>();
        for (int i = 0; i < unknownKind.length; i++) {
            if (i == 0 || unknownKind[i] != unknownKind[i - 1]) {
                starts.add(i);
            }
        }
        starts.add(unknownKind.length);
        return starts.stream().mapToInt(Integer::intValue).toArray();
    }

    private void fillStarts() {
        for (int from : okFrom) {
            startsAt[from + 1]++;
        }
        for (int r = 0; r < ok.size(); r++) {
            startsAt[r + 1] += startsAt[r];
        }
        int[] next = startsAt.clone();
        for (int i = 0; i < okFrom.length; i++) {
            starting[next[okFrom[i]]++] = i;
        }
    }

    private int fillSlots() {
        BitSet taken = new BitSet();
        int most = 0;
        for (int r = 0; r < ok.size(); r++) {
            for (int i = startsAt[r]; i < startsAt[r + 1]; i++) {
                int slot = taken.nextClearBit(0);
                taken.set(slot);
                okSlot[starting[i]] = slot;
                most = Math.max(most, slot + 1);
            }
            taken.clear(okSlot[r]);
        }
        return most;
    }
}
