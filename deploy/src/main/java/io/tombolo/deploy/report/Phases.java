package io.tombolo.deploy.report;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonProperty;

/// Statistics of each phase of a hand-off, in the order in which the phases happen. `publish`, `switch` and
/// `resume` make up the downtime; the guest runs during the others.
public record Phases(Statistics prepare, Statistics quiesce, Statistics publish,
        @JsonProperty("switch") Statistics switch_,
        Statistics resume, Statistics commit) {
    public Phases {
        requireNonNull(prepare, "prepare is null");
        requireNonNull(quiesce, "quiesce is null");
        requireNonNull(publish, "publish is null");
        requireNonNull(switch_, "switch_ is null");
        requireNonNull(resume, "resume is null");
        requireNonNull(commit, "commit is null");
    }
}
