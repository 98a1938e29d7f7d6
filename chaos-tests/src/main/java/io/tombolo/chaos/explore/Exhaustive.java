package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The exhaustive mode of the simulator: every interleaving of a small configuration of one protocol, on the shipped
/// cores.
public final class Exhaustive {
    /// Enough for two faults, and some 4 GB.
    public static final long MAX_STATES = 40_000_000;

    private Exhaustive() {
    }

    /// The protocols that can be explored.
    public enum Protocol {
        HAND_OFF, LEASE, PAGE_MOVE;

        /// As on the command line: `hand-off`.
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// Explores one protocol with up to `faults` faults and prints what it found. Of several configurations, which are
    /// explored at the same time, the result is that of the first with a violation, else that of the last.
    public static Explorer.Result run(Protocol protocol, int faults, PrintStream out) {
        requireNonNull(out, "out is null");
        List<Model<?>> models = models(protocol, faults);
        List<Explorer.Result> results;
        try (ExecutorService threads = Executors.newFixedThreadPool(models.size())) {
            results = models.stream().map(model -> CompletableFuture.supplyAsync(() -> run(model, out), threads))
                    .toList().stream().map(CompletableFuture::join).toList();
        }
        return results.stream().filter(result -> result.violation().isPresent()).findFirst()
                .or(() -> results.stream().filter(result -> !result.complete()).findFirst())
                .orElse(results.getLast());
    }

    private static List<Model<?>> models(Protocol protocol, int faults) {
        return switch (protocol) {
            case HAND_OFF -> List.of(handoff(faults, false), handoff(faults, true));
            case PAGE_MOVE -> List.of(new PageModel(new MoverSteps(), faults, 2));
            case LEASE -> List.of(new LeaseModel(faults));
        };
    }

    private static Model<?> handoff(int faults, boolean claims) {
        return new HandoffModel(new AgentSteps(), new LeaderSteps(), faults, 1, false, claims);
    }

    static <W> Explorer.Result run(Model<W> model, PrintStream out) {
        Explorer<W> explorer = new Explorer<>(model, MAX_STATES);
        Explorer.Result result = explorer.run();
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "%s: %s; states=%d transitions=%d depth=%d seconds=%.1f parts=%s%n",
                model.name(),
                result.violation().isPresent() ? "VIOLATION" : result.complete() ? "complete" : "GIVEN UP",
                result.states(), result.transitions(), result.depth(), result.millis() / 1000.0,
                explorer.partSizes()));
        model.bounds().forEach(bound -> text.append("  bound: ").append(bound).append(System.lineSeparator()));
        result.violation().ifPresent(what -> {
            text.append("  violation: ").append(what).append(System.lineSeparator());
            result.trace().forEach(line -> text.append("  ").append(line).append(System.lineSeparator()));
        });
        // In one piece: others may print at the same time.
        out.print(text);
        return result;
    }
}
