package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Appends to a list, each of another element, against what was read: nothing acknowledged is missing from a read that
/// began later, nothing is there twice, nothing is there that failed, was never appended, or was read before it was
/// sent; reads are beginnings of each other and do not go back; elements stand in the order in which their appends
/// followed each other.
///
/// It does not check: lists that are also written as a whole, with `write` (they are left out and counted, as
/// `writtenKeys`); acknowledged appends after which nobody read (they are counted, as `neverRead`); appends of an
/// element that somebody else appends too, except that it is not there more often than it was sent; operations other
/// than `append` and `read`. No OK read of a list that is judged is UNKNOWN.
///
/// @param independent whether values are pairs of key and value
public record LostOrDuplicate(boolean independent) implements Checker {
    @Override
    public String name() {
        return "lost-or-duplicate";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        Map<Object, Set<Object>> failed = new HashMap<>();
        for (Operation operation : history.operations()) {
            if (operation.outcome() == OpType.FAIL && operation.f().equals("append")) {
                Keyed keyed = Keyed.of(operation, independent);
                failed.computeIfAbsent(keyed.key(), _ -> new HashSet<>()).add(keyed.input());
            }
        }
        long reads = 0;
        long acknowledged = 0;
        long neverRead = 0;
        long written = 0;
        for (Map.Entry<Object, List<Keyed>> entry : Keyed.byKey(history, independent).entrySet()) {
            if (entry.getValue().stream().anyMatch(operation -> operation.f().equals("write"))) {
                written++;
                continue;
            }
            OneList list = new OneList(entry.getKey(), entry.getValue(),
                    failed.getOrDefault(entry.getKey(), Set.of()), problems);
            list.judge();
            reads += list.reads.size();
            acknowledged += list.appends.stream().filter(Keyed::isOk).count();
            neverRead += list.neverRead;
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("reads", reads);
        facts.put("acknowledgedAppends", acknowledged);
        facts.put("neverRead", neverRead);
        facts.put("writtenKeys", written);
        return reads == 0
                ? CheckResult.unknown(name(), "no read of a list that is only appended to is ok", facts)
                : CheckResult.ofProblems(name(), problems, facts);
    }

    /// The operations on one list.
    private static final class OneList {
        private final String where;
        private final List<Keyed> appends = new ArrayList<>();
        private final List<Keyed> reads = new ArrayList<>();
        private final Set<Object> failed;
        private final List<String> problems;
        private final Map<Object, Integer> places = new HashMap<>();
        private long neverRead;

        OneList(Object key, List<Keyed> operations, Set<Object> failed, List<String> problems) {
            this.where = key == null ? "" : "key " + key + ": ";
            this.failed = failed;
            this.problems = problems;
            for (Keyed operation : operations) {
                if (operation.f().equals("append")) {
                    appends.add(operation);
                } else if (operation.f().equals("read") && operation.isOk()) {
                    reads.add(operation);
                }
            }
        }

        void judge() {
            if (reads.isEmpty()) {
                neverRead = appends.stream().filter(Keyed::isOk).count();
                return;
            }
            Keyed longest = reads.stream().max(Comparator.comparingInt(r -> elements(r).size())).orElseThrow();
            List<?> whole = elements(longest);
            for (int i = 0; i < whole.size(); i++) {
                places.putIfAbsent(whole.get(i), i);
            }
            Map<Object, List<Keyed>> byElement = new HashMap<>();
            appends.forEach(a -> byElement.computeIfAbsent(a.input(), _ -> new ArrayList<>()).add(a));
            contents(longest, whole, byElement);
            for (Keyed read : reads) {
                List<?> elements = elements(read);
                if (!whole.subList(0, elements.size()).equals(elements)) {
                    problem("reordered", read.operation() + " is no beginning of " + longest.operation());
                }
            }
            fromTheFuture(whole, byElement);
            order(whole, byElement);
            missing(byElement);
        }

        private void contents(Keyed read, List<?> whole, Map<Object, List<Keyed>> byElement) {
            Map<Object, Integer> counts = new LinkedHashMap<>();
            whole.forEach(e -> counts.merge(e, 1, Integer::sum));
            counts.forEach((element, count) -> {
                int sent = byElement.getOrDefault(element, List.of()).size();
                if (sent == 0) {
                    problem(failed.contains(element) ? "failed, and happened" : "never appended",
                            element + " in " + read.operation());
                } else if (count > sent) {
                    problem("duplicated", element + " was sent " + times(sent) + " and is there " + times(count)
                            + " in " + read.operation());
                }
            });
        }

        /// An element that was read by somebody who was done before its append began. Reads that are no beginnings of
        /// the longest have been told already.
        private void fromTheFuture(List<?> whole, Map<Object, List<Keyed>> byElement) {
            int[] latest = new int[whole.size() + 1];
            long[] sentAt = new long[whole.size() + 1];
            for (int i = 0; i < whole.size(); i++) {
                long first = byElement.getOrDefault(whole.get(i), List.of()).stream().mapToLong(Keyed::invoked).min()
                        .orElse(-1);
                boolean later = first > sentAt[i];
                sentAt[i + 1] = later ? first : sentAt[i];
                latest[i + 1] = later ? i : latest[i];
            }
            for (Keyed read : reads) {
                int size = elements(read).size();
                if (sentAt[size] > read.completed()) {
                    problem("read before it was sent", whole.get(latest[size]) + " in " + read.operation());
                }
            }
        }

        /// Of two appends of which one was done before the other began, the first stands first.
        private void order(List<?> whole, Map<Object, List<Keyed>> byElement) {
            Keyed latest = null;
            for (Object element : whole) {
                List<Keyed> sent = byElement.get(element);
                if (sent == null || sent.size() != 1) {
                    continue;
                }
                Keyed append = sent.getFirst();
                if (latest != null && append.completed() < latest.invoked()) {
                    problem("reordered", latest.input() + " stands before " + element + ", which was acknowledged"
                            + " before the other was sent");
                }
                if (latest == null || append.invoked() > latest.invoked()) {
                    latest = append;
                }
            }
        }

        /// What was acknowledged, or read, before a read began is in it.
        private void missing(Map<Object, List<Keyed>> byElement) {
            List<Keyed> acknowledged = new ArrayList<>(appends.stream()
                    .filter(a -> a.isOk() && byElement.get(a.input()).size() == 1).toList());
            acknowledged.sort(Comparator.comparingLong(Keyed::completed));
            List<Keyed> done = new ArrayList<>(reads);
            done.sort(Comparator.comparingLong(Keyed::completed));
            int a = 0;
            int d = 0;
            Keyed furthest = null;
            int least = 0;
            Set<Object> told = new HashSet<>();
            for (Keyed read : reads) {
                for (; a < acknowledged.size() && acknowledged.get(a).completed() < read.invoked(); a++) {
                    if (furthest == null || place(acknowledged.get(a)) > place(furthest)) {
                        furthest = acknowledged.get(a);
                    }
                }
                for (; d < done.size() && done.get(d).completed() < read.invoked(); d++) {
                    least = Math.max(least, elements(done.get(d)).size());
                }
                int size = elements(read).size();
                if (furthest != null && place(furthest) >= size && told.add(furthest.input())) {
                    problem(place(furthest) == Integer.MAX_VALUE ? "lost" : "stale read", furthest.input()
                            + " was acknowledged before and is not in " + read.operation());
                } else if (size < least) {
                    problem("stale read", "somebody had read " + least + " elements before " + read.operation());
                }
            }
            neverRead = (long) acknowledged.size() - a;
            // The furthest hides others that are lost too.
            for (int i = 0; i < a; i++) {
                if (place(acknowledged.get(i)) == Integer.MAX_VALUE && told.add(acknowledged.get(i).input())) {
                    problem("lost", acknowledged.get(i).operation().toString());
                }
            }
        }

        private int place(Keyed append) {
            return places.getOrDefault(append.input(), Integer.MAX_VALUE);
        }

        private void problem(String kind, String what) {
            problems.add(where + kind + ": " + what);
        }

        private static String times(int count) {
            return count == 1 ? "once" : count + " times";
        }

        private static List<?> elements(Keyed read) {
            return switch (read.output()) {
                case null -> List.of();
                case List<?> list -> list;
                default -> throw Keyed.notOfModel(read.operation(), "a read of a list answers a list").build();
            };
        }
    }
}
