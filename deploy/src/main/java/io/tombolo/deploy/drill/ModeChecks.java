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

    /// None of modes that were not gone through.
    static List<Check> of(List<Mode> modes) {
        List<Check> checks = new ArrayList<>();
        downtime(modes, MigrateMode.TRANSIT).ifPresent(transitNs -> {
            downtime(modes, MigrateMode.COPY).ifPresent(copyNs -> checks.add(new Check(
                    "transit downtime p50 <= 1/" + COPY_PART + " of copy's",
                    verdict(transitNs <= copyNs / COPY_PART),
                    String.format(Locale.ROOT, "1/%.0f (%s, %s)", (double) copyNs / Math.max(1, transitNs),
                            Units.nanos(transitNs), Units.nanos(copyNs)))));
            downtime(modes, MigrateMode.HANDOFF).ifPresent(handoffNs -> checks.add(new Check(
                    "transit downtime p50 <= hand-off's + " + Units.nanos(ABOVE_HANDOFF_NS),
                    verdict(transitNs <= handoffNs + ABOVE_HANDOFF_NS),
                    Units.nanos(transitNs) + ", " + Units.nanos(handoffNs))));
        });
        return checks;
    }

    private static Optional<Long> downtime(List<Mode> modes, MigrateMode mode) {
        return modes.stream().filter(m -> m.mode().equals(mode.text()) && m.hops() > 0).findFirst()
                .map(m -> m.downtimeNs().p50());
    }

    private static Verdict verdict(boolean reached) {
        return reached ? Verdict.PASS : Verdict.MISSED;
    }
}
