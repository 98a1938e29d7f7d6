package io.tombolo.region;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What verify saw. `counts` are by name: frames and VMs by state, blocks owned, hosts by state, passes.
public record VerifyReport(Path file, List<Finding> findings, Map<String, Long> counts) {
    public boolean clean() {
        return findings.isEmpty();
    }

    /// One line per finding, then one per count, for people.
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Finding finding : findings) {
            text.append(finding.code()).append(": ").append(finding.structure()).append(" at ").append(file)
                    .append(" + ")
                    .append(finding.offset()).append(": found ").append(finding.found()).append(", expected ")
                    .append(finding.expected()).append(". Next: ").append(finding.next()).append('\n');
        }
        text.append(findings.size()).append(findings.size() == 1 ? " finding\n" : " findings\n");
        counts.forEach((name, count) -> text.append("  ").append(name).append(": ").append(count).append('\n'));
        return text.toString();
    }
}
