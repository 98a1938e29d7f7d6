package io.tombolo.coordinator.zk;

import io.tombolo.region.TomboloException;
import org.apache.zookeeper.KeeperException;

/// ZooKeeper said no: a version, an existence or a parent was not as the request expected. It does not leave this
/// package: every caller knows which codes mean what, and turns the others into `ZOOKEEPER_FAILED`.
final class ZkRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String path;
    private final KeeperException.Code code;

    ZkRefusal(String path, KeeperException cause) {
        super(cause.getMessage(), cause);
        this.path = path;
        // For a transaction, ZooKeeper fails the operations before the guilty one with OK and those behind it with
        // RUNTIMEINCONSISTENCY, and the exception carries the guilty one's.
        this.code = cause.code();
    }

    boolean is(KeeperException.Code expected) {
        return code == expected;
    }

    TomboloException toTombolo() {
        return ZkConnection.failed(path, getCause());
    }
}
