package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Election of the leading coordinator. The latch only says whose turn it is, and two processes can believe that at
/// once (CURATOR-696, Curator tech note 10). What counts is the term: the version of one znode, claimed by a
/// conditional write. Every write of a leader is a transaction that checks it ([LeaderWrites]), and agents refuse a
/// lower one than they have seen.
///
/// Callbacks come one after the other on a thread of this class's own.
public final class Leadership implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

    private final ZkConnection zk;
    private final LeaderRecord self;
    private final Listener listener;
    private final Latch latch;
    private final Executor executor;
    private volatile long term;

    /// What a coordinator does about leading. A callback may block; the next one waits for it.
    public interface Listener {
        /// This process leads with that term.
        void elected(long term);

        /// This process does not lead any more, or cannot know.
        void deposed(long term);
    }

    /// Says whose turn it is. In production Curator's LeaderLatch is behind it.
    public interface Latch {
        /// Queues up.
        ///
        /// @param isLeader, notLeader called when the answer has changed; any thread
        void start(Runnable isLeader, Runnable notLeader);

        /// Whether it is this process's turn.
        boolean hasLeadership();

        /// Leaves the queue; `notLeader` is called first if it was this process's turn.
        void close();
    }

    /// Does not run for election yet, see [#start].
    public Leadership(ZkConnection zk, LeaderRecord self, Listener listener) {
        this(zk, self, listener, new CuratorLatch(zk, self.id()), Executors
                .newSingleThreadExecutor(Thread.ofPlatform().daemon().name("leadership").factory()));
    }

    /// @param executor makes the callbacks, one after the other; closed with this if it can be
    public Leadership(ZkConnection zk, LeaderRecord self, Listener listener, Latch latch, Executor executor) {
        this.zk = requireNonNull(zk, "zk is null");
        this.self = requireNonNull(self, "self is null");
        this.listener = requireNonNull(listener, "listener is null");
        this.latch = requireNonNull(latch, "latch is null");
        this.executor = requireNonNull(executor, "executor is null");
    }

    private static final class CuratorLatch implements Latch {
        private final ZkConnection zk;
        private final LeaderLatch latch;

        private CuratorLatch(ZkConnection zk, String id) {
            this.zk = zk;
            this.latch = new LeaderLatch(zk.curator(), zk.paths().leaderLatch(), id);
        }

        @Override
        public void start(Runnable isLeader, Runnable notLeader) {
            latch.addListener(new LeaderLatchListener() {
                @Override
                public void isLeader() {
                    isLeader.run();
                }

                @Override
                public void notLeader() {
                    notLeader.run();
                }
            });
            zk.call(zk.paths().leaderLatch(), () -> {
                latch.start();
                return null;
            });
        }

        @Override
        public boolean hasLeadership() {
            return latch.hasLeadership();
        }

        @Override
        public void close() {
            if (latch.getState() == LeaderLatch.State.STARTED) {
                zk.call(zk.paths().leaderLatch(), () -> {
                    latch.close(LeaderLatch.CloseMode.NOTIFY_LEADER);
                    return null;
                });
            }
        }
    }

    /// Runs for election.
    public void start() {
        latch.start(() -> executor.execute(this::claim), () -> executor.execute(this::depose));
    }

    private void claim() {
        // The latch may have changed its mind while this task waited; then notLeader is queued behind it.
        if (!latch.hasLeadership() || term != 0) {
            return;
        }
        try {
            term = claimTerm();
            LOG.info("leading with term {}", term);
            listener.elected(term);
            // Whatever went wrong, this process must not sit on the latch without leading: the next one takes over.
        } catch (RuntimeException e) {
            LOG.error("leadership given up", e);
            depose();
            throw e;
        }
    }

    private long claimTerm() {
        String path = zk.paths().term();
        while (true) {
            Stat before = zk.stat(path).orElseThrow(
                    () -> ZkConnection.failed(path, new IllegalStateException("the term's znode is not there")));
            try {
                return zk.setData(path, self, before.getVersion()).getVersion();
            } catch (ZkRefusal e) {
                if (!e.is(KeeperException.Code.BADVERSION)) {
                    throw e.toTombolo();
                }
                // Somebody else claimed it in between, or this process did and lost the answer: a term more does no
                // harm.
            }
        }
    }

    private void depose() {
        if (term != 0) {
            long ended = term;
            term = 0;
            LOG.info("no longer leading with term {}", ended);
            listener.deposed(ended);
        }
    }

    /// The term this process leads with, as far as it knows.
    public OptionalLong term() {
        long current = term;
        return current == 0 ? OptionalLong.empty() : OptionalLong.of(current);
    }

    /// The term this process leads with.
    ///
    /// @throws TomboloException `NOT_LEADER` with the leader's address
    public long requireTerm() {
        long current = term;
        if (current != 0) {
            return current;
        }
        Optional<LeaderRecord> leader = leader(zk);
        TomboloException.Builder error = TomboloException
                .error(CoordinatorError.NOT_LEADER, "this coordinator does not lead").fact("coordinator", self.id());
        leader.filter(record -> !record.equals(self)).ifPresent(record -> error.fact("leader", record.id())
                .fact("leaderAddress", record.address() + ":" + record.port()));
        throw error.next("ask the leader").build();
    }

    /// Who claimed the newest term; it may be gone by now.
    public static Optional<LeaderRecord> leader(ZkConnection zk) {
        return zk.stat(zk.paths().term()).filter(stat -> stat.getVersion() > 0)
                .flatMap(_ -> zk.read(zk.paths().term(), LeaderRecord.class)).map(Versioned::value);
    }

    /// Leaves the election.
    @Override
    public void close() {
        latch.close();
        if (executor instanceof ExecutorService service) {
            service.close();
        }
    }
}
