package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/// One session with ZooKeeper and the tree of one cluster. All of Curator's checked exceptions and all of ZooKeeper's
/// codes become this project's errors here. Thread safe.
///
/// A write that fails with a lost connection may have happened. The classes above read back what they wrote; nothing
/// here repeats a write by itself, except that Curator repeats an operation once after [#RETRY_MS], and every write
/// here is conditional, so that a repeated one changes nothing twice.
public final class ZkConnection implements AutoCloseable {
    private static final int RETRIES = 2;
    private static final int RETRY_MS = 100;

    private final ZkPort port;
    private final ZkPaths paths;
    private final String connect;

    private ZkConnection(ZkPort port, ZkPaths paths, String connect) {
        this.port = port;
        this.paths = paths;
        this.connect = connect;
    }

    /// Connects.
    ///
    /// @param connect          `host:port,…`
    /// @param paths            the tree
    /// @param sessionTimeoutMs session timeout to ask for
    /// @param connectTimeoutMs how long to wait for a server
    /// @throws TomboloException `ZOOKEEPER_UNREACHABLE`
    public static ZkConnection open(String connect, ZkPaths paths, int sessionTimeoutMs, int connectTimeoutMs) {
        CuratorFramework curator = CuratorFrameworkFactory.builder().connectString(connect)
                .sessionTimeoutMs(sessionTimeoutMs).connectionTimeoutMs(connectTimeoutMs)
                .retryPolicy(new RetryNTimes(RETRIES, RETRY_MS)).dontUseContainerParents().build();
        ZkConnection connection = new ZkConnection(new CuratorPort(curator), paths, connect);
        curator.start();
        try {
            if (curator.blockUntilConnected(connectTimeoutMs, TimeUnit.MILLISECONDS)) {
                return connection;
            }
            connection.close();
            throw unreachable(connect, null);
        } catch (InterruptedException e) {
            connection.close();
            Thread.currentThread().interrupt();
            throw unreachable(connect, e);
        }
    }

    /// The same over another port than Curator's: all but the recipes that are Curator's own.
    public static ZkConnection over(ZkPort port, ZkPaths paths) {
        return new ZkConnection(port, paths, "a port");
    }

    private static TomboloException unreachable(String connect, Throwable cause) {
        return TomboloException.error(CoordinatorError.ZOOKEEPER_UNREACHABLE, "no ZooKeeper server answers")
                .fact("connect", connect).next("check that ZooKeeper runs (tombolo doctor) and the address is right")
                .cause(cause).build();
    }

    public ZkPaths paths() {
        return paths;
    }

    /// For Curator's recipes.
    CuratorFramework curator() {
        if (port instanceof CuratorPort(CuratorFramework curator)) {
            return curator;
        }
        throw new IllegalStateException("there is no Curator behind " + port);
    }

    /// Something that talks to ZooKeeper.
    @FunctionalInterface
    interface Operation<T> {
        T run() throws Exception;
    }

    /// Runs an operation of Curator, whose methods throw everything, and translates.
    <T> T call(String path, Operation<T> operation) {
        try {
            return operation.run();
        } catch (TomboloException e) {
            throw e;
        } catch (KeeperException.ConnectionLossException | KeeperException.SessionExpiredException
                | KeeperException.OperationTimeoutException e) {
            throw unreachable(connect, e);
        } catch (KeeperException e) {
            throw new ZkRefusal(path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(path, e);
            // Curator declares Exception everywhere; what is left is a bug or a closed client.
        } catch (Exception e) {
            throw failed(path, e);
        }
    }

    static TomboloException failed(String path, Throwable cause) {
        return TomboloException.error(CoordinatorError.ZOOKEEPER_FAILED, "ZooKeeper did not do what was asked")
                .fact("path", path).fact("cause", cause).cause(cause).build();
    }

    /// Id of the current session. Throws `ZOOKEEPER_UNREACHABLE` when there is none yet.
    public long sessionId() {
        return call("/", port::sessionId);
    }

    /// Session timeout that the servers granted, in milliseconds.
    public int grantedTimeoutMs() {
        return call("/", () -> curator().getZookeeperClient().getZooKeeper().getSessionTimeout());
    }

    /// Whether a server is connected right now.
    public boolean isConnected() {
        return curator().getZookeeperClient().isConnected();
    }

    /// @throws TomboloException `ZNODE_DAMAGED`, `ZNODE_VERSION_UNKNOWN`
    <T extends Record> Optional<Versioned<T>> read(String path, Class<T> type) {
        try {
            ZkPort.Node node = call(path, () -> port.read(path));
            return Optional.of(new Versioned<>(ZnodeJson.read(path, node.data().getBytes(StandardCharsets.UTF_8), type),
                    node.stat()));
        } catch (ZkRefusal e) {
            if (e.is(KeeperException.Code.NONODE)) {
                return Optional.empty();
            }
            throw e.toTombolo();
        }
    }

    /// All children of a znode that can be read, by name; one that vanishes in between is left out.
    <T extends Record> List<Versioned<T>> readChildren(String path, Class<T> type) {
        List<Versioned<T>> found = new ArrayList<>();
        for (String child : children(path)) {
            read(path + "/" + child, type).ifPresent(found::add);
        }
        return List.copyOf(found);
    }

    List<String> children(String path) {
        try {
            return call(path, () -> port.children(path)).stream().sorted(Comparator.naturalOrder()).toList();
        } catch (ZkRefusal e) {
            if (e.is(KeeperException.Code.NONODE)) {
                return List.of();
            }
            throw e.toTombolo();
        }
    }

    Optional<Stat> stat(String path) {
        return Optional.ofNullable(call(path, () -> port.stat(path)));
    }

    /// Creates a znode and its parents; does nothing when it exists.
    void ensure(String path, String data) {
        try {
            call(path, () -> {
                port.create(path, data, CreateMode.PERSISTENT, true);
                return null;
            });
        } catch (ZkRefusal e) {
            if (!e.is(KeeperException.Code.NODEEXISTS)) {
                throw e.toTombolo();
            }
        }
    }

    /// Creates a znode that goes with this session.
    ///
    /// @throws ZkRefusal `NODEEXISTS` and the like
    void createEphemeral(String path, Record value) {
        call(path, () -> {
            port.create(path, ZnodeJson.text(value), CreateMode.EPHEMERAL, false);
            return null;
        });
    }

    /// Sets a znode's data if it has that version.
    ///
    /// @throws ZkRefusal `BADVERSION` and the like
    Stat setData(String path, Record value, int version) {
        return call(path, () -> port.setData(path, ZnodeJson.text(value), version));
    }

    /// Deletes a znode if it has that version, -1 for any; does nothing when it is gone.
    void delete(String path, int version) {
        try {
            call(path, () -> {
                port.delete(path, version);
                return null;
            });
        } catch (ZkRefusal e) {
            if (!e.is(KeeperException.Code.NONODE)) {
                throw e.toTombolo();
            }
        }
    }

    /// Makes sure that a read on this session sees everything that was written before.
    void sync(String path) {
        call(path, () -> {
            port.sync(path);
            return null;
        });
    }

    /// All or nothing.
    ///
    /// @throws ZkRefusal with the code of the first operation that did not hold
    void transaction(List<ZkPort.Change> changes) {
        call(paths.root(), () -> {
            port.transaction(changes);
            return null;
        });
    }

    /// Ends the session: its ephemeral znodes go away at once.
    @Override
    public void close() {
        port.close();
    }
}
