package io.tombolo.chaos.sim;

import io.tombolo.chaos.coordination.Znode;
import io.tombolo.coordinator.zk.ZkPort;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/// The tree as of the newest transaction, for who knows everything: no session, no step, no time.
record TreeView(SimEnsemble ensemble) implements ZkPort {
    private Znode node(String path) throws KeeperException {
        Znode node = ensemble.node(path);
        if (node == null) {
            throw KeeperException.create(KeeperException.Code.NONODE, path);
        }
        return node;
    }

    @Override
    public Node read(String path) throws KeeperException {
        Znode node = node(path);
        return new Node(node.data(), SimSession.stat(node.stat()));
    }

    @Override
    public Stat stat(String path) {
        Znode node = ensemble.node(path);
        return node == null ? null : SimSession.stat(node.stat());
    }

    @Override
    public List<String> children(String path) throws KeeperException {
        return List.copyOf(node(path).children());
    }

    @Override
    public void create(String path, String data, CreateMode mode, boolean parents) {
        throw new UnsupportedOperationException(path);
    }

    @Override
    public Stat setData(String path, String data, int version) {
        throw new UnsupportedOperationException(path);
    }

    @Override
    public void delete(String path, int version) {
        throw new UnsupportedOperationException(path);
    }

    @Override
    public void transaction(List<Change> changes) {
        throw new UnsupportedOperationException(changes.toString());
    }

    @Override
    public void sync(String path) {
        // Nothing is newer.
    }

    @Override
    public long sessionId() {
        return 0;
    }

    @Override
    public void close() {
        // There is nothing to close.
    }
}
