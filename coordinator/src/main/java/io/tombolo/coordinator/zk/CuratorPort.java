package io.tombolo.coordinator.zk;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/// [ZkPort] by Curator.
record CuratorPort(CuratorFramework curator) implements ZkPort {
    private interface Operation<T> {
        T run() throws Exception;
    }

    /// Curator declares `Exception` everywhere; what is none of ZooKeeper's is a bug or a closed client.
    private static <T> T narrow(Operation<T> operation) throws KeeperException, InterruptedException {
        try {
            return operation.run();
        } catch (KeeperException | InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] bytes(String data) {
        return data.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Node read(String path) throws KeeperException, InterruptedException {
        Stat stat = new Stat();
        byte[] data = narrow(() -> curator.getData().storingStatIn(stat).forPath(path));
        return new Node(data == null ? "" : new String(data, StandardCharsets.UTF_8), stat);
    }

    @Override
    public Stat stat(String path) throws KeeperException, InterruptedException {
        return narrow(() -> curator.checkExists().forPath(path));
    }

    @Override
    public List<String> children(String path) throws KeeperException, InterruptedException {
        return narrow(() -> curator.getChildren().forPath(path));
    }

    @Override
    public void create(String path, String data, CreateMode mode, boolean parents)
            throws KeeperException, InterruptedException {
        narrow(() -> parents
                ? curator.create().creatingParentsIfNeeded().withMode(mode).forPath(path, bytes(data))
                : curator.create().withMode(mode).forPath(path, bytes(data)));
    }

    @Override
    public Stat setData(String path, String data, int version) throws KeeperException, InterruptedException {
        return narrow(() -> curator.setData().withVersion(version).forPath(path, bytes(data)));
    }

    @Override
    public void delete(String path, int version) throws KeeperException, InterruptedException {
        narrow(() -> curator.delete().withVersion(version).forPath(path));
    }

    @Override
    public void transaction(List<Change> changes) throws KeeperException, InterruptedException {
        narrow(() -> {
            List<CuratorOp> operations = new ArrayList<>();
            for (Change change : changes) {
                operations.add(switch (change) {
                    case Change.Check(String path, int version) ->
                        curator.transactionOp().check().withVersion(version).forPath(path);
                    case Change.Create(String path, String data) ->
                        curator.transactionOp().create().forPath(path, bytes(data));
                    case Change.SetData(String path, String data, int version) ->
                        curator.transactionOp().setData().withVersion(version).forPath(path, bytes(data));
                    case Change.Delete(String path, int version) ->
                        curator.transactionOp().delete().withVersion(version).forPath(path);
                });
            }
            return curator.transaction().forOperations(operations);
        });
    }

    @Override
    public void sync(String path) throws KeeperException, InterruptedException {
        narrow(() -> {
            curator.sync().forPath(path);
            return null;
        });
    }

    @Override
    public long sessionId() throws KeeperException, InterruptedException {
        return narrow(() -> curator.getZookeeperClient().getZooKeeper().getSessionId());
    }

    @Override
    public void close() {
        curator.close();
    }
}
