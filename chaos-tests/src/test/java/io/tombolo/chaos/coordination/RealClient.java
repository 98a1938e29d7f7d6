package io.tombolo.chaos.coordination;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/// A real ZooKeeper client that speaks the model's language. Answers and watch events come in the order of the
/// connection, because ZooKeeper calls back on one thread.
final class RealClient implements AutoCloseable {
    // Not the constant of ZooDefs.Ids: its class names annotations that are not on the class path.
    private static final List<ACL> ANYONE = List.of(new ACL(31, new Id("world", "anyone")));
    private final ZooKeeper zooKeeper;
    private final List<String> transcript = new ArrayList<>();
    private final BlockingQueue<Watcher.Event.KeeperState> states = new LinkedBlockingQueue<>();
    private final LongUnaryOperator zxids;
    private final LongUnaryOperator sessions;

    /// @param zxids a real transaction number to the model's, `sessions` likewise
    RealClient(int port, int timeoutMs, LongUnaryOperator zxids, LongUnaryOperator sessions) throws IOException {
        this.zxids = zxids;
        this.sessions = sessions;
        zooKeeper = new ZooKeeper("127.0.0.1:" + port, timeoutMs, this::happened);
        awaitState(Watcher.Event.KeeperState.SyncConnected);
    }

    private synchronized void happened(WatchedEvent event) {
        switch (event.getType()) {
            case None -> states.add(event.getState());
            case NodeCreated -> fired(WatchEvent.Type.NODE_CREATED, event);
            case NodeDeleted -> fired(WatchEvent.Type.NODE_DELETED, event);
            case NodeDataChanged -> fired(WatchEvent.Type.NODE_DATA_CHANGED, event);
            case NodeChildrenChanged -> fired(WatchEvent.Type.NODE_CHILDREN_CHANGED, event);
            case DataWatchRemoved, ChildWatchRemoved, PersistentWatchRemoved -> throw new AssertionError(event);
        }
    }

    private void fired(WatchEvent.Type type, WatchedEvent event) {
        transcript.add(new WatchEvent(type, event.getPath()).toString());
    }

    void awaitState(Watcher.Event.KeeperState wanted) {
        try {
            for (long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);;) {
                Watcher.Event.KeeperState state = states.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (state == wanted) {
                    return;
                }
                if (state == null) {
                    throw new AssertionError("never " + wanted);
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    long session() {
        return zooKeeper.getSessionId();
    }

    /// What came so far, and forgets it.
    synchronized List<String> transcript() {
        List<String> lines = List.copyOf(transcript);
        transcript.clear();
        return lines;
    }

    private synchronized void answered(CompletableFuture<Reply> done, Reply reply) {
        transcript.add(reply.toString());
        done.complete(reply);
    }

    /// Waits until all that the server said before is in the transcript; leaves no trace there.
    void barrier() {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        zooKeeper.exists("/", false, (int rc, String _, Object _, Stat _) -> done.complete(rc), null);
        done.orTimeout(10, TimeUnit.SECONDS).join();
    }

    Reply call(Request request) {
        return send(request).orTimeout(15, TimeUnit.SECONDS).join();
    }

    CompletableFuture<Reply> send(Request request) {
        CompletableFuture<Reply> done = new CompletableFuture<>();
        switch (request) {
            case Request.Create create -> zooKeeper.create(create.path(), bytes(create.data()),
                    ANYONE, mode(create.mode()), (int rc, String _, Object _,
                            String name) -> answered(done, rc == 0 ? Reply.created(name) : failed(rc)),
                    null);
            case Request.Delete delete -> zooKeeper.delete(delete.path(), delete.version(),
                    (int rc, String _, Object _) -> answered(done, failed(rc)), null);
            case Request.SetData set -> zooKeeper.setData(set.path(), bytes(set.data()), set.version(),
                    (int rc, String _, Object _, Stat stat) -> answered(done,
                            rc == 0 ? Reply.node(null, stat(stat)) : failed(rc)),
                    null);
            case Request.Exists exists -> zooKeeper.exists(exists.path(), exists.watch(),
                    (int rc, String _, Object _, Stat stat) -> answered(done,
                            rc == 0 ? Reply.node(null, stat(stat)) : failed(rc)),
                    null);
            case Request.GetData get -> zooKeeper.getData(get.path(), get.watch(),
                    (AsyncCallback.DataCallback) (rc, _, _, data, stat) -> answered(done,
                            rc == 0 ? Reply.node(text(data), stat(stat)) : failed(rc)),
                    null);
            case Request.GetChildren get -> zooKeeper.getChildren(get.path(), get.watch(),
                    (int rc, String _, Object _, List<String> names) -> answered(done,
                            rc == 0 ? Reply.children(names.stream().sorted().toList()) : failed(rc)),
                    null);
            case Request.Multi multi -> zooKeeper.multi(multi.operations().stream().map(RealClient::op).toList(),
                    (int rc, String _, Object _, List<OpResult> parts) -> answered(done, Reply.multi(Code.of(rc),
                            parts == null ? List.of() : parts.stream().map(this::part).toList())),
                    null);
            case Request.Sync sync -> zooKeeper.sync(sync.path(),
                    (int rc, String _, Object _) -> answered(done, failed(rc)), null);
            case Request.Check _,Request.Ping _,Request.Close _,Request.Open _,Request.SetWatches _ ->
                throw new AssertionError(request);
        }
        return done;
    }

    private static Op op(Request.Write write) {
        return switch (write) {
            case Request.Create create -> Op.create(create.path(), bytes(create.data()), ANYONE,
                    mode(create.mode()));
            case Request.Delete delete -> Op.delete(delete.path(), delete.version());
            case Request.SetData set -> Op.setData(set.path(), bytes(set.data()), set.version());
            case Request.Check check -> Op.check(check.path(), check.version());
        };
    }

    private Reply part(OpResult result) {
        return switch (result) {
            case OpResult.CreateResult created -> Reply.created(created.getPath());
            case OpResult.SetDataResult set -> Reply.node(null, stat(set.getStat()));
            case OpResult.ErrorResult error -> Reply.of(Code.of(error.getErr()));
            case OpResult.DeleteResult _,OpResult.CheckResult _ -> Reply.of(Code.OK);
            default -> throw new AssertionError(result);
        };
    }

    private static Reply failed(int rc) {
        return Reply.of(Code.of(rc));
    }

    private static CreateMode mode(Request.Mode mode) {
        return CreateMode.valueOf(mode.name());
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private Znode.Stat stat(Stat stat) {
        return new Znode.Stat(zxids.applyAsLong(stat.getCzxid()), zxids.applyAsLong(stat.getMzxid()),
                zxids.applyAsLong(stat.getPzxid()), stat.getVersion(), stat.getCversion(),
                stat.getEphemeralOwner() == 0 ? 0 : sessions.applyAsLong(stat.getEphemeralOwner()),
                stat.getDataLength(), stat.getNumChildren());
    }

    @Override
    public void close() {
        try {
            zooKeeper.close();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
