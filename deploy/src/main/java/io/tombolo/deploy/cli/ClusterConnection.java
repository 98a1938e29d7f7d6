package io.tombolo.deploy.cli;

import io.tombolo.coordinator.CoordinatorClient;
import io.tombolo.coordinator.ZooKeeperConfig;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;

/// A way to ask the leading coordinator of one cluster. Thread safe.
public interface ClusterConnection extends AutoCloseable {
    /// Session of a command with ZooKeeper: nothing depends on it but its own waits.
    int SESSION_MS = 10_000;

    /// How long a command waits for a ZooKeeper server.
    int CONNECT_MS = 5_000;

    /// The longest request creates a Linux guest and its image or waits for a slow hand-off.
    long REQUEST_MS = 120_000;

    /// Sends one request and waits for its answer. An error of the coordinator arrives as
    /// [io.tombolo.coordinator.wire.RemoteException] or [io.tombolo.region.TomboloException].
    Reply call(CoordinatorRequest request);

    /// The same with another limit of time.
    Reply call(CoordinatorRequest request, long timeoutMs);

    /// Asks the agent of a host, without repeating.
    Reply call(String host, AgentRequest request);

    @Override
    void close();

    /// Connects to ZooKeeper; coordinators are looked for when the first request comes.
    ///
    /// @throws io.tombolo.region.TomboloException `ZOOKEEPER_UNREACHABLE`, `CLUSTER_ROOT_EMPTY`
    static ClusterConnection open(String cluster, String zookeeper, String root) {
        CoordinatorClient client = client(cluster, zookeeper, root);
        return new ClusterConnection() {
            @Override
            public Reply call(CoordinatorRequest request) {
                return call(request, REQUEST_MS);
            }

            @Override
            public Reply call(CoordinatorRequest request, long timeoutMs) {
                return client.call(request, Reply.class, timeoutMs);
            }

            @Override
            public Reply call(String host, AgentRequest request) {
                return client.call(host, request, Reply.class, REQUEST_MS);
            }

            @Override
            public void close() {
                client.close();
            }
        };
    }

    /// The same for who also asks agents.
    static CoordinatorClient client(String cluster, String zookeeper, String root) {
        return CoordinatorClient.open(new ZooKeeperConfig(zookeeper, root, SESSION_MS), cluster,
                "tombolo-" + ProcessHandle.current().pid(), CONNECT_MS);
    }
}
