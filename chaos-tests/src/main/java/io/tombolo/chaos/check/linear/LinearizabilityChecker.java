package io.tombolo.chaos.check.linear;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.Keyed;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Supplier;

/// Linearizability (Herlihy and Wing): is there an order of the operations, each at one instant between its invocation
/// and its completion, in which the model gives the answers that were seen? Independent keys are judged one by one,
/// which is the same as together (P-compositionality), and at once on several threads.
///
/// A linearisation that was found is checked again by the definition before VALID is said. Out of time or memory is
/// UNKNOWN; INVALID for one key stays INVALID whatever is not known of others.
///
/// It does not check: FAIL operations (that they did not happen is only seen if somebody read their effect); keys
/// against each other; anything between operations of different models; times, only the order of events; that anything
/// happened at all (an empty history is UNKNOWN, one without a read is VALID whatever it wrote).
public final class LinearizabilityChecker implements Checker {
    /// Every part is tried for a share of the time first, so that a hard one does not keep the others from being looked
    /// at.
    private static final int FIRST_SHARE = 4;
    private static final long LEAST_SHARE_NS = 50_000_000;
    private static final int WIDER = 8;
    private static final int TELLING = 2_000;
    private static final long TELLING_NS = 200_000_000;
    private static final int MAX_VIOLATIONS = 10;
    private static final String OUT_OF_TIME = "out of time";

    private final String name;
    private final Supplier<Model> models;
    private final boolean independent;
    private final Effort effort;

    /// How the search goes about it; the verdict does not depend on it.
    ///
    /// @param depthFirst configurations, for each operation, that are looked at depth first; most histories need hardly
    ///                   more than one
    /// @param width      configurations of a layer that are looked at when that did not help; more if that does not
    ///                   either
    record Effort(int depthFirst, int width) {
        static final Effort USUAL = new Effort(8, 64);
    }

    /// @param models      makes a model for each part
    /// @param independent whether the value of every operation is a pair of its key and its own value
    public LinearizabilityChecker(Supplier<Model> models, boolean independent) {
        this("linearizable", models, independent);
    }

    /// With another name.
    public LinearizabilityChecker(String name, Supplier<Model> models, boolean independent) {
        this(name, models, independent, Effort.USUAL);
    }

    LinearizabilityChecker(String name, Supplier<Model> models, boolean independent, Effort effort) {
        this.name = requireNonNull(name, "name is null");
        this.models = requireNonNull(models, "models is null");
        this.independent = independent;
        this.effort = effort;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        long startNs = context.nowNs().getAsLong();
        List<Part> parts = parts(history);
        if (history.operations().stream().noneMatch(Operation::isOk)) {
            return CheckResult.unknown(name, "no operation is ok, so there is nothing to check", Map.of());
        }
        parts.sort(Comparator.comparingInt((Part p) -> p.unknown.size()).thenComparingInt(Part::size));
        List<PartResult> results = run(parts, startNs, context);
        return result(results, context.nowNs().getAsLong() - startNs);
    }

    private List<Part> parts(History history) {
        Model model = models.get();
        List<Part> parts = new ArrayList<>();
        Keyed.byKey(history, independent).forEach((key, operations) -> {
            List<Call> calls = new ArrayList<>();
            for (Keyed operation : operations) {
                Call call = model.call(operation.f(), operation.input(), operation.output(), operation.isOk());
                String complaint = model.complaint(call);
                if (complaint != null) {
                    throw Keyed.notOfModel(operation.operation(), complaint).fact("model", model.name()).build();
                }
                calls.add(call);
            }
            parts.add(new Part(key, models.get(), operations.stream().map(Keyed::operation).toList(), calls));
        });
        return parts;
    }

    private List<PartResult> run(List<Part> parts, long startNs, CheckContext context) {
        long limitNs = context.timeLimit().toNanos();
        long deadlineNs = startNs + limitNs;
        int threads = Math.min(context.threads(), parts.size());
        long shareNs = Math.max(LEAST_SHARE_NS, limitNs / parts.size() * threads / FIRST_SHARE);
        if (threads == 1) {
            return run(Runnable::run, parts, shareNs, deadlineNs, context, threads);
        }
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            return run(pool, parts, shareNs, deadlineNs, context, threads);
        }
    }

    private List<PartResult> run(Executor executor, List<Part> parts, long shareNs, long deadlineNs,
            CheckContext context, int threads) {
        List<PartResult> first = all(executor, parts, part -> {
            long nowNs = context.nowNs().getAsLong();
            return judge(part, nowNs + Math.min(shareNs, deadlineNs - nowNs), context, threads);
        });
        List<Part> again = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            if (OUT_OF_TIME.equals(first.get(i).reason()) && deadlineNs - context.nowNs().getAsLong() > 0) {
                again.add(parts.get(i));
            }
        }
        List<PartResult> results = new ArrayList<>(first);
        for (PartResult result : all(executor, again, part -> judge(part, deadlineNs, context, threads))) {
            results.replaceAll(r -> Objects.equals(r.key(), result.key()) ? result : r);
        }
        return results;
    }

    private static List<PartResult> all(Executor executor, List<Part> parts, Function<Part, PartResult> judge) {
        List<CompletableFuture<PartResult>> futures = parts.stream()
                .map(part -> CompletableFuture.supplyAsync(() -> judge.apply(part), executor)).toList();
        return futures.stream().map(CompletableFuture::join).toList();
    }

    private PartResult judge(Part part, long deadlineNs, CheckContext context, int threads) {
        long startNs = context.nowNs().getAsLong();
        Search.Bounds bounds = new Search.Bounds(deadlineNs, context.nowNs(), context.memoryBytes() / threads);
        Transitions steps = new Transitions(part.model.specialised(part.kinds), part.kinds);
        Search search = new DepthFirst(part, steps, true, effort.depthFirst() * part.size());
        Search.Outcome outcome = search.run(bounds);
        long configurations = search.configurations();
        for (long width = effort.width(); outcome == Search.Outcome.NARROW; width *= WIDER) {
            search = new LayerByLayer(part, steps, (int) Math.min(width, Integer.MAX_VALUE));
            outcome = search.run(bounds);
            configurations += search.configurations();
        }
        Verdict verdict = switch (outcome) {
            case FOUND -> {
                new Linearisation(part, search.foundPath()).prove();
                yield Verdict.VALID;
            }
            case EXHAUSTED -> Verdict.INVALID;
            case NARROW, OUT_OF_TIME, OUT_OF_MEMORY -> Verdict.UNKNOWN;
        };
        String reason = switch (outcome) {
            case FOUND, EXHAUSTED, NARROW -> null;
            case OUT_OF_TIME -> OUT_OF_TIME;
            case OUT_OF_MEMORY -> "out of memory";
        };
        Map<String, Object> violation = verdict == Verdict.INVALID ? violation(part, steps, bounds) : null;
        return new PartResult(part.key, verdict, part.size(), part.unknown.size(), part.dropped, part.slots,
                configurations, context.nowNs().getAsLong() - startNs, reason, violation);
    }

    /// A violation is told with a search that does not look ahead: an operation that only spoils what comes later is
    /// not the one that cannot be placed.
    private static Map<String, Object> violation(Part part, Transitions steps, Search.Bounds bounds) {
        long nowNs = bounds.nowNs().getAsLong();
        Search search = new DepthFirst(part, steps, false, TELLING);
        Search.Outcome outcome = search
                .run(new Search.Bounds(nowNs + TELLING_NS, bounds.nowNs(), bounds.memoryBytes()));
        return Violation.of(part, search.furthest(), search.longestPaths(), outcome == Search.Outcome.EXHAUSTED);
    }

    private CheckResult result(List<PartResult> results, long elapsedNs) {
        Verdict verdict = Verdict.worst(results.stream().map(PartResult::verdict).toList());
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("parts", results.size());
        details.put("operations", results.stream().mapToLong(PartResult::operations).sum());
        details.put("unknownOperations", results.stream().mapToLong(PartResult::unknown).sum());
        details.put("droppedUnknownOperations", results.stream().mapToLong(PartResult::dropped).sum());
        details.put("concurrency", results.stream().mapToInt(PartResult::concurrency).max().orElse(0));
        details.put("configurations", results.stream().mapToLong(PartResult::configurations).sum());
        details.put("elapsedNs", elapsedNs);
        List<PartResult> undecided = results.stream().filter(r -> r.verdict() == Verdict.UNKNOWN).toList();
        if (!undecided.isEmpty()) {
            details.put(CheckResult.REASON, undecided.getFirst().reason());
            details.put("undecidedKeys", undecided.stream().map(PartResult::key).toList());
        }
        List<PartResult> invalid = results.stream().filter(r -> r.verdict() == Verdict.INVALID).toList();
        if (!invalid.isEmpty()) {
            details.put("invalidKeys", invalid.stream().map(PartResult::key).toList());
            details.put("violations", invalid.stream().limit(MAX_VIOLATIONS).map(PartResult::violation).toList());
        }
        return new CheckResult(name, verdict, details);
    }
}
