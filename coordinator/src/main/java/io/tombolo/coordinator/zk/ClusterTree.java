package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.Optional;

/// Sets up the cluster's tree, or finds that it belongs to somebody else. Thread safe.
public final class ClusterTree {
    private final ZkConnection zk;

    public ClusterTree(ZkConnection zk) {
        this.zk = zk;
    }

    /// Creates what is missing. Many processes may do so at once.
    ///
    /// @throws TomboloException `ZOOKEEPER_FOREIGN_CLUSTER` when the tree belongs to another cluster or region
    public void join(ClusterRecord own) {
        ZkPaths paths = zk.paths();
        zk.ensure(paths.cluster(), ZnodeJson.text(own));
        ClusterRecord found = read()
                .orElseThrow(() -> ZkConnection.failed(paths.cluster(), new IllegalStateException("it vanished")));
        if (!found.equals(own)) {
            throw TomboloException
                    .error(CoordinatorError.ZOOKEEPER_FOREIGN_CLUSTER, "the tree belongs to another cluster or region")
                    .fact("path", paths.cluster()).fact("found", found).fact("expected", own)
                    .next("choose another root, or point every host at the region of this cluster").build();
        }
        zk.ensure(paths.term(), "");
        zk.ensure(paths.hosts(), "");
        zk.ensure(paths.vms(), "");
        zk.ensure(paths.intents(), "");
        zk.ensure(paths.leases(), "");
        zk.ensure(paths.drained(), "");
    }

    /// The cluster the tree belongs to; empty when there is none yet.
    public Optional<ClusterRecord> read() {
        return zk.read(zk.paths().cluster(), ClusterRecord.class).map(Versioned::value);
    }
}
