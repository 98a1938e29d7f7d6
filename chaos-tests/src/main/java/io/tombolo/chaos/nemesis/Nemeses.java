package io.tombolo.chaos.nemesis;

import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Context;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import io.tombolo.chaos.workload.Client;
import io.tombolo.chaos.workload.Completion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.SplittableRandom;

/// Several kinds of faults at once: when each begins and ends, and who carries it out. Operations are `start-<name>`
/// and `stop-<name>`; their sequence is the same for the same seed.
public final class Nemeses implements Client {
    private static final String START = "start-";
    private static final String STOP = "stop-";
    /// More at once, and nothing works any more that could go wrong.
    private static final int MAX_ACTIVE = 2;
    /// So many more times in a row nothing happens, so that the cluster comes to itself.
    private static final long REST = 2;

    /// How often a kind of fault was begun, and how often it hit what it was to hit.
    public record Tally(long begun, long tookEffect) {
        /// Both together.
        public Tally plus(Tally more) {
            return new Tally(begun + more.begun, tookEffect + more.tookEffect);
        }
    }

    private final Map<String, Nemesis> all = new LinkedHashMap<>();
    private final Map<String, Tally> tallies = new ConcurrentHashMap<>();
    private final Set<String> active = ConcurrentHashMap.newKeySet();
    private final long seed;
    private final long paceNs;
    private final String favourite;

    /// @param paceNs usual time between two beginnings or ends
    public Nemeses(List<Nemesis> nemeses, long seed, long paceNs) {
        this(nemeses, seed, paceNs, "");
    }

    /// @param favourite name of a kind that begins every other time; "" for none
    public Nemeses(List<Nemesis> nemeses, long seed, long paceNs, String favourite) {
        nemeses.forEach(nemesis -> all.put(nemesis.name(), nemesis));
        this.seed = seed;
        this.paceNs = paceNs;
        this.favourite = favourite;
    }

    public List<Nemesis> all() {
        return List.copyOf(all.values());
    }

    /// When they begin and end; without end.
    public Generator generator() {
        return all.isEmpty() ? Generators.nothing() : new Schedule(this, 0, 0, List.of(), -1);
    }

    /// One thing after the other: something begins or, if enough is at work, the oldest ends. In a round every kind
    /// begins once, in an order that is another in each round.
    private record Schedule(Nemeses of, long n, long begun, List<String> active, long dueNs) implements Generator {
        @Override
        public Next next(Context context) {
            SplittableRandom random = Generators.random(of.seed, n);
            String upcoming = of.turn(begun);
            boolean ends = active.size() == MAX_ACTIVE || active.contains(upcoming)
                    || (!active.isEmpty() && random.nextInt(3) > 0);
            String name = ends ? active.getFirst() : upcoming;
            long due = dueNs >= 0
                    ? dueNs
                    : context.nowNs() + of.pause(random, ends
                            ? of.all.get(name).lasting()
                            : active.isEmpty() ? REST : 1);
            if (context.nowNs() < due || context.free().isEmpty()) {
                return new Next.Wait(new Schedule(of, n, begun, active, due));
            }
            List<String> after = new ArrayList<>(active);
            if (ends) {
                after.remove(name);
            } else {
                after.add(name);
            }
            Call call = ends ? new Call(STOP + name, null) : new Call(START + name, of.all.get(name).choose(random));
            return new Next.Emit(Context.NEMESIS, call,
                    new Schedule(of, n + 1, ends ? begun : begun + 1, List.copyOf(after), -1));
        }
    }

    /// Whose turn it is to begin.
    private String turn(long begun) {
        boolean favours = all.containsKey(favourite);
        if (favours && begun % 2 == 0) {
            return favourite;
        }
        long n = favours ? begun / 2 : begun;
        List<String> round = Targets.shuffled(List.copyOf(all.keySet()), seed * 31 + n / all.size());
        return round.get((int) (n % all.size()));
    }

    private long pause(SplittableRandom random, double factor) {
        return (long) (paceNs * factor * (0.5 + random.nextDouble()));
    }

    /// Ends every fault.
    public Generator healing() {
        List<String> names = List.copyOf(all.keySet());
        return Generators.limit(names.size(),
                Generators.calls(n -> new Call(STOP + names.get((int) n % names.size()), null)));
    }

    @Override
    public Completion invoke(long process, Call call) {
        boolean start = call.f().startsWith(START);
        Nemesis nemesis = all.get(call.f().substring(start ? START.length() : STOP.length()));
        @SuppressWarnings("unchecked") // What it chose itself.
        Map<String, Object> chosen = (Map<String, Object>) call.value();
        if (start) {
            count(nemesis.name(), new Tally(1, 0));
            active.add(nemesis.name());
            return Completion.info(nemesis.begin(chosen), null);
        }
        Object done = nemesis.end();
        if (active.remove(nemesis.name()) && nemesis.tookEffect()) {
            count(nemesis.name(), new Tally(0, 1));
        }
        return Completion.info(done, null);
    }

    private void count(String name, Tally more) {
        tallies.merge(name, more, Tally::plus);
    }

    /// Of every kind, in their order.
    public Map<String, Tally> tallies() {
        Map<String, Tally> ordered = new LinkedHashMap<>();
        all.keySet().forEach(name -> ordered.put(name, tallies.getOrDefault(name, new Tally(0, 0))));
        return ordered;
    }

    /// Names of a nemesis' operations: begin, end.
    public static List<String> operations(String name) {
        return List.of(START + name, STOP + name);
    }
}
