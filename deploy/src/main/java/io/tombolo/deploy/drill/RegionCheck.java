package io.tombolo.deploy.drill;

import io.tombolo.region.Finding;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.VerifyReport;
import java.nio.file.Path;
import java.util.List;

/// What `region verify` says, as a drill counts it.
final class RegionCheck {
    private RegionCheck() {
    }

    static GuestVerifier.Frames run(Path file) {
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            VerifyReport report = RegionVerifier.verify(region);
            List<Finding> leaked = report.findings().stream().filter(f -> f.code() == Finding.Code.FRAME_LEAKED)
                    .toList();
            return new GuestVerifier.Frames(leaked.size(), report.findings().size() - leaked.size(),
                    report.findings().isEmpty() ? "" : report.text().lines().findFirst().orElse(""));
        }
    }
}
