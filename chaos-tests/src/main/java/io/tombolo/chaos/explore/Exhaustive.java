package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

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

    /// Explores one protocol with up to `faults` faults and prints what it found.
    public static Explorer.Result run(Protocol protocol, int faults, PrintStream out) {
        requireNonNull(out, "out is null");
        return run(model(protocol, faults), out);
    }

    private static Model<?> model(Protocol protocol, int faults) {
        return switch (protocol) {
            case HAND_OFF -> new HandoffModel(new AgentSteps(), new LeaderSteps(), faults, 1, false);
            case PAGE_MOVE -> new PageModel(new MoverSteps(), faults, 2);
            case LEASE -> throw new IllegalArgumentException("not yet: " + protocol.label());
        };
    }

    static <W> Explorer.Result run(Model<W> model, PrintStream out) {
        Explorer<W> explorer = new Explorer<>(model, MAX_STATES);
        Explorer.Result result = explorer.run();
        out.printf(Locale.ROOT, "%s: %s; states=%d transitions=%d depth=%d seconds=%.1f parts=%s%n", model.name(),
                result.violation().isPresent() ? "VIOLATION" : result.complete() ? "complete" : "GIVEN UP",
                result.states(), result.transitions(), result.depth(), result.millis() / 1000.0,
                explorer.partSizes());
        List<String> bounds = model.bounds();
        bounds.forEach(bound -> out.println("  bound: " + bound));
        result.violation().ifPresent(what -> {
            out.println("  violation: " + what);
            result.trace().forEach(line -> out.println("  " + line));
        });
        return result;
    }
}
