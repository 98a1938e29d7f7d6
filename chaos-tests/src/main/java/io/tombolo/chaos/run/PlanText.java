package io.tombolo.chaos.run;

import io.tombolo.chaos.cluster.ClusterPlan.NetworkKind;
import io.tombolo.chaos.nemesis.NemesisKind;
import io.tombolo.chaos.workload.WorkloadKind;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// Makes a plan of what somebody wrote, on the command line or above a test.
public final class PlanText {
    private static final int MAX_SEED = 1_000_000;
    private static final long MIN_NS = 1_000_000_000L;
    private static final long MAX_NS = 7L * 24 * 3_600_000_000_000L;

    private PlanText() {
    }

    /// A seed that nobody chose.
    public static long newSeed() {
        return new SplittableRandom().nextInt(MAX_SEED);
    }

    /// Makes it.
    ///
    /// @param nemeses names, or `all`, or `none`
    /// @throws TomboloException OPTION_INVALID, with the option's name as on the command line
    public static ChaosPlan plan(String workload, List<String> nemeses, String time, long seed, int hosts,
            String network, Path folder, boolean keep, boolean unprotected) {
        check(hosts >= 2 && hosts <= 16, "--hosts", hosts, "2 to 16");
        long ns = Units.parseNanos(time);
        check(ns >= MIN_NS && ns <= MAX_NS, "--time", time, "1s to 168h");
        WorkloadKind kind = require(WorkloadKind.ofText(workload), "--workload", workload,
                String.join(", ", WorkloadKind.texts()));
        NetworkKind between = switch (network) {
            case "proxy" -> NetworkKind.PROXY;
            case "namespaces" -> NetworkKind.NAMESPACES;
            default -> throw invalid("--network", network, "proxy, namespaces");
        };
        return new ChaosPlan(kind, nemeses(nemeses, between), Duration.ofNanos(ns), seed, hosts, between, folder, keep,
                unprotected);
    }

    private static List<NemesisKind> nemeses(List<String> names, NetworkKind network) {
        boolean shapes = network == NetworkKind.PROXY;
        if (names.equals(List.of("all"))) {
            return Arrays.stream(NemesisKind.values()).filter(kind -> shapes || !kind.needsShaping()).toList();
        }
        if (names.equals(List.of("none"))) {
            return List.of();
        }
        List<NemesisKind> all = names.stream().distinct()
                .map(name -> require(NemesisKind.ofText(name), "--nemesis", name,
                        String.join(", ", NemesisKind.texts()) + "; all, none"))
                .toList();
        check(shapes || all.stream().noneMatch(NemesisKind::needsShaping), "--nemesis", String.join(",", names),
                "none of slow and connection with --network namespaces");
        return all;
    }

    private static <T> T require(Optional<T> value, String option, Object found, String expected) {
        return value.orElseThrow(() -> invalid(option, found, expected));
    }

    private static void check(boolean holds, String option, Object found, String expected) {
        if (!holds) {
            throw invalid(option, found, expected);
        }
    }

    private static TomboloException invalid(String option, Object found, String expected) {
        return TomboloException.error(DeployError.OPTION_INVALID, "an option has a value that it cannot have")
                .fact("option", option).fact("found", found).fact("expected", expected)
                .next("correct it and repeat the command").build();
    }
}
