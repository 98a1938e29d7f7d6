package io.tombolo.chaos.generator;

import io.tombolo.chaos.generator.Generator.Next;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.LongFunction;

/// The generators, to be put together.
public final class Generators {
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;
    private static final Next DONE = new Next.Done();

    private Generators() {
    }

    /// A random sequence for the n-th thing that a seed decides.
    public static SplittableRandom random(long seed, long n) {
        return new SplittableRandom(seed ^ (n + 1) * GOLDEN);
    }

    /// Nothing.
    public static Generator nothing() {
        return _ -> DONE;
    }

    /// Call number 0, 1, 2, … without end, to any free thread.
    ///
    /// @param call pure: the same number gives the same call
    public static Generator calls(LongFunction<Call> call) {
        return new Calls(0, call);
    }

    /// The same with a random sequence of its own for each call.
    public static Generator calls(long seed, Function<SplittableRandom, Call> call) {
        return calls(n -> call.apply(random(seed, n)));
    }

    /// One call.
    public static Generator once(Call call) {
        return limit(1, calls(_ -> call));
    }

    private record Calls(long n, LongFunction<Call> call) implements Generator {
        @Override
        public Next next(Context context) {
            return context.free().isEmpty()
                    ? new Next.Wait(this)
                    : new Next.Emit(context.free().getFirst(), call.apply(n), new Calls(n + 1, call));
        }
    }

    /// At most so many calls.
    public static Generator limit(long calls, Generator generator) {
        return new Limit(calls, generator);
    }

    private record Limit(long left, Generator inner) implements Generator {
        @Override
        public Next next(Context context) {
            if (left == 0) {
                return DONE;
            }
            return switch (inner.next(context)) {
                case Next.Emit e -> new Next.Emit(e.thread(), e.call(), new Limit(left - 1, e.then()));
                case Next.Wait w -> new Next.Wait(new Limit(left, w.then()));
                case Next.Done d -> d;
            };
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return new Limit(left, inner.update(context, thread, event));
        }
    }

    /// Ends that long after it was first asked.
    public static Generator timeLimit(long ns, Generator generator) {
        return new TimeLimit(ns, -1, generator);
    }

    private record TimeLimit(long ns, long untilNs, Generator inner) implements Generator {
        @Override
        public Next next(Context context) {
            long until = untilNs < 0 ? context.nowNs() + ns : untilNs;
            if (context.nowNs() >= until) {
                return DONE;
            }
            return switch (inner.next(context)) {
                case Next.Emit e -> new Next.Emit(e.thread(), e.call(), new TimeLimit(ns, until, e.then()));
                case Next.Wait w -> new Next.Wait(new TimeLimit(ns, until, w.then()));
                case Next.Done d -> d;
            };
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return new TimeLimit(ns, untilNs, inner.update(context, thread, event));
        }
    }

    /// Calls at random times, on average that far apart in all.
    public static Generator stagger(long meanNs, long seed, Generator generator) {
        return new Stagger(meanNs, seed, 0, -1, generator);
    }

    private record Stagger(long meanNs, long seed, long n, long dueNs, Generator inner) implements Generator {
        @Override
        public Next next(Context context) {
            long due = dueNs < 0 ? context.nowNs() + pause(n) : dueNs;
            if (context.nowNs() < due) {
                return new Next.Wait(new Stagger(meanNs, seed, n, due, inner));
            }
            return switch (inner.next(context)) {
                // Late is late: what was missed while all threads were busy is not made up for.
                case Next.Emit e -> new Next.Emit(e.thread(), e.call(), new Stagger(meanNs, seed, n + 1,
                        Math.max(due, context.nowNs() - meanNs) + pause(n + 1), e.then()));
                case Next.Wait w -> new Next.Wait(new Stagger(meanNs, seed, n, due, w.then()));
                case Next.Done d -> d;
            };
        }

        private long pause(long number) {
            return random(seed, number).nextLong(2 * meanNs + 1);
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return new Stagger(meanNs, seed, n, dueNs, inner.update(context, thread, event));
        }
    }

    /// Nothing for so long, then the end.
    public static Generator sleep(long ns) {
        return timeLimit(ns, new Forever());
    }

    private record Forever() implements Generator {
        @Override
        public Next next(Context context) {
            return new Next.Wait(this);
        }
    }

    /// Call after call from one of these, chosen at random each time, until one of them has nothing any more.
    public static Generator mix(long seed, List<Generator> generators) {
        return new Mix(seed, 0, List.copyOf(generators));
    }

    private record Mix(long seed, long n, List<Generator> all) implements Generator {
        @Override
        public Next next(Context context) {
            int chosen = random(seed, n).nextInt(all.size());
            return switch (all.get(chosen).next(context)) {
                case Next.Emit e ->
                    new Next.Emit(e.thread(), e.call(), new Mix(seed, n + 1, with(all, chosen, e.then())));
                case Next.Wait w -> new Next.Wait(new Mix(seed, n, with(all, chosen, w.then())));
                case Next.Done d -> d;
            };
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return new Mix(seed, n, all.stream().map(g -> g.update(context, thread, event)).toList());
        }
    }

    private static List<Generator> with(List<Generator> all, int index, Generator changed) {
        List<Generator> copy = new ArrayList<>(all);
        copy.set(index, changed);
        return List.copyOf(copy);
    }

    /// One after the other; each begins when the threads of the one before have come back.
    public static Generator phases(Generator... generators) {
        return new Phases(List.of(generators), true);
    }

    /// One after the other, without waiting.
    public static Generator concat(Generator... generators) {
        return new Phases(List.of(generators), false);
    }

    private record Phases(List<Generator> left, boolean synchronous) implements Generator {
        @Override
        public Next next(Context context) {
            List<Generator> rest = left;
            while (!rest.isEmpty()) {
                switch (rest.getFirst().next(context)) {
                    case Next.Emit e -> {
                        return new Next.Emit(e.thread(), e.call(), new Phases(with(rest, 0, e.then()), synchronous));
                    }
                    case Next.Wait w -> {
                        return new Next.Wait(new Phases(with(rest, 0, w.then()), synchronous));
                    }
                    case Next.Done _ -> {
                        if (synchronous && !context.quiet()) {
                            return new Next.Wait(new Phases(with(rest, 0, nothing()), true));
                        }
                        rest = rest.subList(1, rest.size());
                    }
                }
            }
            return DONE;
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return left.isEmpty()
                    ? this
                    : new Phases(with(left, 0, left.getFirst().update(context, thread, event)), synchronous);
        }
    }

    /// All of these at once, the first that has something to do first; ends when all have ended. They should use
    /// different threads.
    public static Generator any(Generator... generators) {
        return new Any(List.of(generators), 0);
    }

    private record Any(List<Generator> all, int turn) implements Generator {
        @Override
        public Next next(Context context) {
            List<Generator> after = all;
            boolean waiting = false;
            for (int i = 0; i < all.size(); i++) {
                int index = (turn + i) % all.size();
                switch (after.get(index).next(context)) {
                    case Next.Emit e -> {
                        return new Next.Emit(e.thread(), e.call(), new Any(with(after, index, e.then()), index + 1));
                    }
                    case Next.Wait w -> {
                        waiting = true;
                        after = with(after, index, w.then());
                    }
                    case Next.Done _ -> after = with(after, index, nothing());
                }
            }
            return waiting ? new Next.Wait(new Any(after, turn)) : DONE;
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return new Any(all.stream().map(g -> g.update(context, thread, event)).toList(), turn);
        }
    }

    /// Only threads that the predicate takes, and only their events.
    public static Generator on(IntPredicate threads, Generator generator) {
        return new On(threads, generator);
    }

    /// Only the threads of clients.
    public static Generator clients(Generator generator) {
        return on(thread -> thread != Context.NEMESIS, generator);
    }

    /// Only the thread of the nemeses.
    public static Generator nemesis(Generator generator) {
        return on(thread -> thread == Context.NEMESIS, generator);
    }

    private record On(IntPredicate threads, Generator inner) implements Generator {
        @Override
        public Next next(Context context) {
            return switch (inner.next(context.only(threads))) {
                case Next.Emit e -> new Next.Emit(e.thread(), e.call(), new On(threads, e.then()));
                case Next.Wait w -> new Next.Wait(new On(threads, w.then()));
                case Next.Done d -> d;
            };
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            return threads.test(thread)
                    ? new On(threads, inner.update(context.only(threads), thread, event))
                    : this;
        }
    }

    /// Independent keys: groups of threads, each at one key, to whose value every call's is joined as `[key value]`. A
    /// group takes its next key when it has made so many calls with one, when so many of them are unknown, or when one
    /// failed with [#KEY_GONE]: so what a checker has to hold in mind at once is bounded.
    ///
    /// Group g of G gets the keys g, g + G, g + 2 G, …
    ///
    /// @param perGroup threads of a group
    /// @param calls    calls with one key
    /// @param unknowns calls with one key of which nobody knows what became of them
    /// @param byKey    what to do with a key
    public static Generator perKey(List<Integer> threads, int perGroup, long calls, int unknowns,
            LongFunction<Generator> byKey) {
        int groups = threads.size() / perGroup;
        Generator[] all = new Generator[groups];
        for (int g = 0; g < groups; g++) {
            List<Integer> own = threads.subList(g * perGroup, (g + 1) * perGroup);
            all[g] = on(own::contains, new Key(g, groups, calls, unknowns, byKey, 0, 0, byKey.apply(g)));
        }
        return any(all);
    }

    /// Error of a call whose key is of no use any more.
    public static final String KEY_GONE = "key gone";

    private record Key(long key, long step, long calls, int unknowns, LongFunction<Generator> byKey, long made,
            int unknown, Generator inner) implements Generator {
        @Override
        public Next next(Context context) {
            if (made >= calls || unknown >= unknowns) {
                return another().next(context);
            }
            return switch (inner.next(context)) {
                case Next.Emit e -> new Next.Emit(e.thread(),
                        new Call(e.call().f(), Arrays.asList(key, e.call().value())),
                        new Key(key, step, calls, unknowns, byKey, made + 1, unknown, e.then()));
                case Next.Wait w -> new Next.Wait(new Key(key, step, calls, unknowns, byKey, made, unknown, w.then()));
                case Next.Done _ -> another().next(context);
            };
        }

        private Key another() {
            return new Key(key + step, step, calls, unknowns, byKey, 0, 0, byKey.apply(key + step));
        }

        @Override
        public Generator update(Context context, int thread, HistoryEvent event) {
            boolean own = event.value() instanceof List<?> pair && !pair.isEmpty()
                    && Long.valueOf(key).equals(pair.getFirst());
            if (!own || event.type() == OpType.INVOKE || event.type() == OpType.OK) {
                return this;
            }
            if (KEY_GONE.equals(event.error())) {
                return another();
            }
            return event.type() == OpType.INFO
                    ? new Key(key, step, calls, unknowns, byKey, made, unknown + 1, inner)
                    : this;
        }
    }
}
