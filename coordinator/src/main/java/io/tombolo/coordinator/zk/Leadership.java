package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
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
    private static final long CLAIM_AGAIN_MS = 200;

    private final ZkConnection zk;
    private final LeaderRecord self;
    private final Listener listener;
    private final Latch latch;
    private final Turns turns;
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

    /// What is done one after the other. In production it has a thread of its own.
    public interface Turns {
        void run(Runnable task);

        void runLater(Runnable task, long delayMs);

        /// Waits for what was given to [#run]; drops what was to be run later.
        void close();
    }

    /// Does not run for election yet, see [#start].
    public Leadership(ZkConnection zk, LeaderRecord self, Listener listener) {
        this(zk, self, listener, new CuratorLatch(zk, self.id()), new OneThread());
    }

    /// @param turns makes the callbacks; closed with this
    public Leadership(ZkConnection zk, LeaderRecord self, Listener listener, Latch latch, Turns turns) {
        this.zk = requireNonNull(zk, "zk is null");
        this.self = requireNonNull(self, "self is null");
        this.listener = requireNonNull(listener, "listener is null");
        this.latch = requireNonNull(latch, "latch is null");
        this.turns = requireNonNull(turns, "turns is null");
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

    private static final class OneThread implements Turns {
        private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1,
                Thread.ofPlatform().daemon().name("leadership").factory());

        private OneThread() {
            executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        }

        @Override
        public void run(Runnable task) {
            executor.execute(task);
        }

        @Override
        public void runLater(Runnable task, long delayMs) {
            if (!executor.isShutdown()) {
                var _ = executor.schedule(task, delayMs, TimeUnit.MILLISECONDS);
            }
        }

        @Override
        public void close() {
            executor.close();
        }
    }

    /// Runs for election.
    public void start() {
        latch.start(() -> turns.run(this::claim), () -> turns.run(this::depose));
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
            // Whatever went wrong, this process must not sit on the latch without leading: it tries again for as long
            // as it has the latch.
        } catch (RuntimeException e) {
            if (e instanceof TomboloException known && known.code() == CoordinatorError.ZOOKEEPER_UNREACHABLE) {
                LOG.warn("no leadership yet: {}", known.getMessage());
            } else {
                LOG.error("no leadership yet", e);
            }
            depose();
            turns.runLater(this::claim, CLAIM_AGAIN_MS);
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
            try {
                listener.deposed(ended);
                // Nobody looks at what becomes of such a task.
            } catch (RuntimeException e) {
                LOG.error("the end of term {} was not taken note of", ended, e);
            }
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
        turns.close();
    }
}
