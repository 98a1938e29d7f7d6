package io.tombolo.deploy.drill;

import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Mode;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.deploy.report.Units;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the modes of one drill must be to each other. Figures: they do not fail a drill.
final class ModeChecks {
    private static final long COPY_PART = 50;
    private static final long ABOVE_HANDOFF_NS = 10_000;

    private ModeChecks() {
    }

    /// None of modes that were not gone through. A mode none of whose hops was measured reaches nothing.
    static List<Check> of(List<Mode> modes) {
        List<Check> checks = new ArrayList<>();
        downtime(modes, MigrateMode.TRANSIT).ifPresent(transitNs -> {
            downtime(modes, MigrateMode.COPY).ifPresent(copyNs -> checks.add(check(
                    "transit downtime p50 <= 1/" + COPY_PART + " of copy's", transitNs, copyNs / COPY_PART,
                    String.format(Locale.ROOT, "1/%.0f (%s, %s)", (double) copyNs / Math.max(1, transitNs),
                            Units.nanos(transitNs), Units.nanos(copyNs)))));
            downtime(modes, MigrateMode.HANDOFF).ifPresent(handoffNs -> checks.add(check(
                    "transit downtime p50 <= hand-off's + " + Units.nanos(ABOVE_HANDOFF_NS), transitNs,
                    handoffNs == 0 ? 0 : handoffNs + ABOVE_HANDOFF_NS,
                    Units.nanos(transitNs) + ", " + Units.nanos(handoffNs))));
        });
        return checks;
    }

    /// Of the hops that were measured; 0 when none was.
    private static Optional<Long> downtime(List<Mode> modes, MigrateMode mode) {
        return modes.stream().filter(m -> m.mode().equals(mode.text())).findFirst().map(m -> m.downtimeNs().p50());
    }

    private static Check check(String name, long ns, long limitNs, String detail) {
        if (ns == 0 || limitNs == 0) {
            return new Check(name, Verdict.MISSED, "not measured");
        }
        return new Check(name, ns <= limitNs ? Verdict.PASS : Verdict.MISSED, detail);
    }
}
