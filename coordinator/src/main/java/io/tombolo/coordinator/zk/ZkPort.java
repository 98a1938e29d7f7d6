package io.tombolo.coordinator.zk;

import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/// One session with ZooKeeper as [ZkConnection] uses it: requests that block until they are answered, and failures as
/// ZooKeeper names them. In production Curator is behind it, in the simulator a simulated ensemble.
///
/// Data are text, in UTF-8; null and `""` are the same. `ConnectionLoss` of a write means that it may have happened. A version of -1 means any. Thread safe.
public interface ZkPort extends AutoCloseable {
    /// What a znode holds, with its metadata as of then.
    record Node(String data, Stat stat) {
    }

    /// One operation of a transaction.
    sealed interface Change {
        /// Holds if the znode has that version.
        record Check(String path, int version) implements Change {
        }

        /// Creates a persistent znode.
        record Create(String path, String data) implements Change {
        }

        /// Sets a znode's data.
        record SetData(String path, String data, int version) implements Change {
        }

        /// Deletes a znode.
        record Delete(String path, int version) implements Change {
        }
    }

    /// Fails with `NoNode`.
    Node read(String path) throws KeeperException, InterruptedException;

    /// Null when there is no such znode.
    Stat stat(String path) throws KeeperException, InterruptedException;

    /// Names, in no order. Fails with `NoNode`.
    List<String> children(String path) throws KeeperException, InterruptedException;

    /// Creates one znode.
    ///
    /// @param parents whether missing parents are created, too
    void create(String path, String data, CreateMode mode, boolean parents)
            throws KeeperException, InterruptedException;

    /// Sets a znode's data.
    ///
    /// @return its metadata from then on
    Stat setData(String path, String data, int version) throws KeeperException, InterruptedException;

    /// Deletes one znode.
    void delete(String path, int version) throws KeeperException, InterruptedException;

    /// All or nothing. Fails with the code of the operation that did not hold.
    void transaction(List<Change> changes) throws KeeperException, InterruptedException;

    /// Makes sure that a read on this session sees everything that was written before.
    void sync(String path) throws KeeperException, InterruptedException;

    /// Id of the session, 0 when there is none yet.
    long sessionId() throws KeeperException, InterruptedException;

    /// Ends the session.
    @Override
    void close();
}
