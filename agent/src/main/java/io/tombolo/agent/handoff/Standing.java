package io.tombolo.agent.handoff;

/// Where a VM stands on one host: both cores' states, null where there is none, and the owner word.
public record Standing(SourceCore.State source, TargetCore.State target, long owner) {
}
