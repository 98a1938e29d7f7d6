package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Configuration of one coordinator process.
///
/// @param id          name of this coordinator, unique in the cluster
/// @param clusterName name of the cluster
/// @param clusterUuid its UUID, the same in every configuration and in the region
/// @param zookeeper   how to reach ZooKeeper
/// @param rpc         where to listen
/// @param regionFile  path of the region file; mapped read-only
/// @param handoff     time limits
/// @param placement   limits of placement
/// @param fencing     fence agents by host name, in the order in which they are tried
public record CoordinatorConfig(String id, String clusterName, UUID clusterUuid, ZooKeeperConfig zookeeper,
        @Defaulted("{}") RpcConfig rpc, String regionFile, @Defaulted("{}") HandoffTimings handoff,
        @Defaulted("{}") PlacementConfig placement, @Defaulted("{}") Map<String, List<FenceAgentConfig>> fencing) {
    public CoordinatorConfig {
        requireNonNull(clusterUuid, "clusterUuid is null");
        requireNonNull(zookeeper, "zookeeper is null");
        requireNonNull(rpc, "rpc is null");
        requireNonNull(handoff, "handoff is null");
        requireNonNull(placement, "placement is null");
        requireNonNull(fencing, "fencing is null");
        fencing = Map.copyOf(fencing);
        fencing.keySet().forEach(host -> ConfigFile.check(VmSpec.isName(host), "fencing", host, "the name of a host"));
        ConfigFile.check(VmSpec.isName(id), "id", id, "1 to 63 of a-z 0-9 -, first a letter or digit");
        ConfigFile.check(VmSpec.isName(clusterName), "clusterName", clusterName,
                "1 to 63 of a-z 0-9 -, first a letter or digit");
        ConfigFile.check(!regionFile.isBlank(), "regionFile", regionFile, "a path");
    }

    /// With the default limits of placement.
    public CoordinatorConfig(String id, String clusterName, UUID clusterUuid, ZooKeeperConfig zookeeper, RpcConfig rpc,
            String regionFile, HandoffTimings handoff) {
        this(id, clusterName, clusterUuid, zookeeper, rpc, regionFile, handoff,
                new PlacementConfig(PlacementConfig.DEFAULT_MAX_VMS_PER_HOST));
    }

    /// Without fence agents.
    public CoordinatorConfig(String id, String clusterName, UUID clusterUuid, ZooKeeperConfig zookeeper, RpcConfig rpc,
            String regionFile, HandoffTimings handoff, PlacementConfig placement) {
        this(id, clusterName, clusterUuid, zookeeper, rpc, regionFile, handoff, placement, Map.of());
    }
}
