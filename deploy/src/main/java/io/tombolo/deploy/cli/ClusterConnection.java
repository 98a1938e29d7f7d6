package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;

/// A way to ask the leading coordinator of one cluster. Used by one thread.
public interface ClusterConnection extends AutoCloseable {
    /// Sends one request and waits for its answer. An error of the coordinator arrives as
    /// [io.tombolo.coordinator.wire.RemoteException] or [io.tombolo.region.TomboloException].
    Reply call(CoordinatorRequest request);

    @Override
    void close();
}
