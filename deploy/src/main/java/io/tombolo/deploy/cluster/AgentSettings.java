package io.tombolo.deploy.cluster;

import io.tombolo.coordinator.RpcConfig;
import io.tombolo.coordinator.ZooKeeperConfig;
import java.util.List;
import java.util.UUID;

/// The keys of an agent's configuration file that a local cluster sets; everything else has its default.
///
/// @param name the host's name
/// @param runDirectory private to the host: sockets and logs of its guests
record AgentSettings(String name, UUID hostUuid, String clusterName, UUID clusterUuid, ZooKeeperConfig zookeeper,
        RpcConfig rpc, String regionFile, int baseMs, List<String> drivers, String runDirectory) {
}
