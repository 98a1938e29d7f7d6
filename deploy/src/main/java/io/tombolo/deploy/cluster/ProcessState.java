package io.tombolo.deploy.cluster;

/// Where a supervised process stands.
public enum ProcessState {
    /// Started, not ready yet.
    STARTING,
    /// It said that it is ready, or its readiness was seen.
    READY,
    /// It and its kill group are confirmed stopped.
    STOPPED
}
