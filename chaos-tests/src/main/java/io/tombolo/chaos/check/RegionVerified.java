package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.History;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// `region verify` found nothing wrong with any region of the run, and every frame is accounted for (I4).
///
/// It does not check: anything itself (it takes what verify said); the contents of guest memory; what was wrong for a
/// while and not at the end; damage that a nemesis made on purpose, which has to be left out of the findings, by name,
/// by whoever planted it. It does not look at the history. No region is UNKNOWN.
///
/// @param regions as they were after the run
public record RegionVerified(List<VerifiedRegion> regions) implements Checker {
    /// What verify said of one region.
    ///
    /// @param region   its file, for people
    /// @param frames   that it has
    /// @param counted  that are in exactly one state
    /// @param findings one sentence each
    public record VerifiedRegion(String region, long frames, long counted, List<String> findings) {
        public VerifiedRegion {
            requireNonNull(region, "region is null");
            findings = List.copyOf(findings);
        }
    }

    public RegionVerified {
        regions = List.copyOf(regions);
    }

    @Override
    public String name() {
        return "region-verified";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        for (VerifiedRegion region : regions) {
            region.findings().forEach(finding -> problems.add(region.region() + ": " + finding));
            if (region.frames() != region.counted()) {
                problems.add(region.region() + ": " + region.counted() + " frames are accounted for, it has "
                        + region.frames());
            }
        }
        Map<String, Object> facts = Map.of("regions", regions.size(), "frames",
                regions.stream().mapToLong(VerifiedRegion::frames).sum());
        return regions.isEmpty()
                ? CheckResult.unknown(name(), "no region was verified", facts)
                : CheckResult.ofProblems(name(), problems, facts);
    }
}
