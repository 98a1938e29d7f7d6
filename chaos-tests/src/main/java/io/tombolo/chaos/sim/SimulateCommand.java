package io.tombolo.chaos.sim;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tombolo.chaos.explore.Exhaustive;
import io.tombolo.chaos.explore.Exploration;
import io.tombolo.chaos.sim.Campaign.Result;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `tombolo simulate`.
@Command(name = "simulate", description = {
        "Run the protocols through many schedules of a simulated cluster, with faults,",
        "and check the invariants at every step.",
        "A seed is a schedule, the same on any machine.",
        "With --exhaustive: through every interleaving of a small configuration, breadth first.",
        "Ends with 0 if nothing is wrong, 1 if something is, 2 if that could not be found out."})
public final class SimulateCommand implements Callable<Integer> {
    private static final int VALID = 0;
    private static final int INVALID = 1;
    private static final int UNKNOWN = 2;

    @Spec
    private CommandSpec spec;

    @Option(names = "--schedules", paramLabel = "N", description = "How many seeds (1000; with --seed alone 1).")
    private Long schedules;

    @Option(names = "--seed", paramLabel = "S", description = "The first seed; without it one is drawn, and printed.")
    private Long seed;

    @Option(names = "--threads", paramLabel = "T", description = "Schedules, or explorations, at the same time (one for each core).")
    private Integer threads;

    @Option(names = "--trace", description = "Print the steps of the one schedule of --seed.")
    private boolean trace;

    @Option(names = "--exhaustive", paramLabel = "PROTOCOL", split = ",", completionCandidates = Protocols.class, description = "Explore these protocols instead: ${COMPLETION-CANDIDATES}.")
    private List<String> exhaustive = List.of();

    @Option(names = "--faults", paramLabel = "N", description = "With --exhaustive: how many faults a run may have (2).")
    private Integer faults;

    @Option(names = "--json", description = "Print one JSON value instead of text.")
    private boolean json;

    /// What --exhaustive takes.
    static final class Protocols implements Iterable<String> {
        static final String ALL = "all";

        @Override
        public Iterator<String> iterator() {
            return Stream.concat(Arrays.stream(Exhaustive.Protocol.values()).map(Exhaustive.Protocol::label),
                    Stream.of(ALL)).iterator();
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        int workers = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        long count = schedules != null ? schedules : seed == null ? 1_000 : 1;
        require(workers >= 1 && workers <= 256, "--threads must be 1 to 256");
        if (!exhaustive.isEmpty()) {
            require(schedules == null && seed == null && !trace,
                    "--exhaustive takes no --schedules, --seed or --trace: it goes through all of them");
            require(faults == null || (faults >= 0 && faults <= 100), "--faults must be 0 to 100");
            return explore(protocols(), faults == null ? 2 : faults, workers);
        }
        require(faults == null, "--faults needs --exhaustive; schedules draw theirs");
        require(count >= 1, "--schedules must be at least 1");
        require(!trace || seed != null, "--trace needs the --seed of the schedule");
        Quiet.please();
        // Read once, when the first virtual thread is made: a carrier for each schedule that is under way.
        System.setProperty("jdk.virtualThreadScheduler.parallelism", Integer.toString(trace ? 1 : workers));
        System.setProperty("jdk.virtualThreadScheduler.maxPoolSize", Integer.toString(trace ? 1 : workers));
        return trace ? replay() : campaign(seed == null ? new SecureRandom().nextInt(1 << 30) : seed, count, workers);
    }

    private void require(boolean holds, String what) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), what);
        }
    }

    private List<Exhaustive.Protocol> protocols() {
        EnumSet<Exhaustive.Protocol> all = EnumSet.noneOf(Exhaustive.Protocol.class);
        for (String name : exhaustive) {
            if (name.equals(Protocols.ALL)) {
                return List.of(Exhaustive.Protocol.values());
            }
            try {
                all.add(Exhaustive.protocol(name));
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), "--exhaustive: " + e.getMessage() + "; there are "
                        + String.join(", ", new Protocols()), e);
            }
        }
        return List.copyOf(all);
    }

    private int explore(List<Exhaustive.Protocol> protocols, int most, int workers) {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        List<Exploration> all = new Exhaustive(most, workers, Runtime.getRuntime().maxMemory(), line -> {
            if (!json) {
                err.println(line);
                err.flush();
            }
        }, exploration -> {
            if (!json) {
                out.print(exploration.text());
                out.flush();
            }
        }).run(protocols);
        long violations = all.stream().filter(one -> one.result().violation().isPresent()).count();
        if (json) {
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("faults", most);
            value.put("violations", violations);
            value.put("explorations", all.stream().map(Exploration::json).toList());
            printJson(value);
        }
        return violations > 0 ? INVALID : all.stream().allMatch(one -> one.result().complete()) ? VALID : UNKNOWN;
    }

    private int replay() {
        Simulator.Outcome outcome = new Simulator(Wiring.SOUND).run(seed, true);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("seed", outcome.seed());
            value.put("steps", outcome.steps());
            value.put("violation", outcome.violation());
            value.put("trace", outcome.trace());
            printJson(value);
        } else {
            outcome.trace().forEach(out::println);
            out.println(outcome.failed()
                    ? "seed " + outcome.seed() + ": " + outcome.violation()
                    : "seed " + outcome.seed() + ": nothing is wrong, " + outcome.steps() + " steps, "
                            + outcome.checks() + " checks");
            if (outcome.cause() != null) {
                outcome.cause().printStackTrace(out);
            }
        }
        out.flush();
        return outcome.failed() ? INVALID : VALID;
    }

    private int campaign(long from, long count, int workers) throws InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        if (!json) {
            err.println("seeds " + from + " to " + (from + count - 1) + ", " + workers + " at a time");
        }
        long[] nextNs = {System.nanoTime() + 5_000_000_000L};
        Campaign campaign = new Campaign(Wiring.SOUND, from, count, (done, steps, violations) -> {
            synchronized (nextNs) {
                if (!json && System.nanoTime() - nextNs[0] > 0) {
                    nextNs[0] = System.nanoTime() + 5_000_000_000L;
                    err.println(done + " of " + count + " schedules, " + steps + " steps, " + violations
                            + " violations");
                    err.flush();
                }
            }
        });
        Result result = campaign.run(workers);
        if (json) {
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("seed", from);
            value.put("schedules", result.schedules());
            value.put("steps", result.steps());
            value.put("checks", result.checks());
            value.put("handoffs", result.handoffs());
            value.put("violations", result.violations());
            value.put("firstFailingSeed", result.firstFailingSeed());
            value.put("firstViolation", result.firstViolation());
            printJson(value);
        } else {
            spec.commandLine().getOut().println(result.schedules() + " schedules, " + result.steps() + " steps, "
                    + result.checks() + " checks, " + result.handoffs() + " hand-offs, " + result.violations()
                    + " violations");
            spec.commandLine().getOut().flush();
        }
        if (result.firstFailingSeed() != null) {
            err.println("seed " + result.firstFailingSeed() + ": " + result.firstViolation());
            err.println("Replay: tombolo simulate --seed " + result.firstFailingSeed() + " --trace");
            err.flush();
            return INVALID;
        }
        if (result.crash() != null) {
            result.crash().printStackTrace(err);
            err.flush();
            return UNKNOWN;
        }
        return VALID;
    }

    private void printJson(Map<String, Object> value) {
        try {
            spec.commandLine().getOut()
                    .println(new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value));
            spec.commandLine().getOut().flush();
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
