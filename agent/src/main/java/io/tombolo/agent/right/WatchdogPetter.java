package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Pets the watchdog: under the project's supervisor and under systemd the same code.
///
/// A pet goes out only while the right is fresh, or while every storing thread has stopped. The second half is what
/// keeps a ZooKeeper outage from killing every host: a host whose deadline passed stops its VMs and goes on petting. A
/// host whose threads do *not* stop is not petted for, and dies.
///
/// A time-stamped pet carries the time of the oldest check of all running threads, so that the watchdog counts from the
/// check and a stuck thread is seen through any number of healthy pets. A plain pet carries nothing, so it is held back
/// while any thread's last check is older than the limit that stands in the bound.
public final class WatchdogPetter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WatchdogPetter.class);

    /// What to do at one turn.
    public sealed interface Decision {
        /// Pet; the oldest check was at `checkedNs`.
        record Pet(long checkedNs) implements Decision {
        }

        /// Do not pet, and why.
        record Withhold(String why) implements Decision {
        }
    }

    private final CheckBoard board;
    private final BooleanSupplier rightFresh;
    private final LongSupplier boottimeNs;
    private final WatchdogSettings settings;
    private final Timings timings;
    private final SupervisorLink link;
    private final Listener listener;
    private final Thread thread;
    private volatile boolean closed;

    /// Told about every pet that was tried; called on the petter's thread.
    public interface Listener {
        void supervisorSeen();

        void supervisorLost();
    }

    /// @param rightFresh the right keeper's state, from any thread
    /// @throws IllegalArgumentException if the settings have no watchdog time
    public WatchdogPetter(CheckBoard board, BooleanSupplier rightFresh, LongSupplier boottimeNs,
            WatchdogSettings settings, Timings timings, SupervisorLink link, Listener listener) {
        this.board = requireNonNull(board, "board is null");
        this.rightFresh = requireNonNull(rightFresh, "rightFresh is null");
        this.boottimeNs = requireNonNull(boottimeNs, "boottimeNs is null");
        this.settings = requireNonNull(settings, "settings is null");
        this.timings = requireNonNull(timings, "timings is null");
        this.link = requireNonNull(link, "link is null");
        this.listener = requireNonNull(listener, "listener is null");
        if (settings.watchdogNs().isEmpty()) {
            throw new IllegalArgumentException("no watchdog watches this process");
        }
        this.thread = Thread.ofPlatform().name("tombolo-petter").daemon().unstarted(this::run);
    }

    /// The rule itself. `nowNs` was read before the board and the right were.
    public static Decision decide(long nowNs, long oldestCheckNs, boolean rightFresh, PetMode mode,
            long plainAgeLimitNs) {
        if (oldestCheckNs == CheckBoard.STOPPED) {
            return new Decision.Pet(nowNs);
        }
        if (!rightFresh) {
            return new Decision.Withhold("the right lapsed and a storing thread still runs");
        }
        if (mode == PetMode.PLAIN && nowNs - oldestCheckNs > plainAgeLimitNs) {
            return new Decision.Withhold("a storing thread has not checked its right in time");
        }
        return new Decision.Pet(Math.min(nowNs, oldestCheckNs));
    }

    /// Pets once on the caller's thread, so that a supervisor that is not there is known at once, then starts the
    /// thread.
    public void start() {
        turn();
        thread.start();
    }

    private void run() {
        long period = Math.min(settings.watchdogNs().orElseThrow() / 4, timings.petPeriodMs() * 1_000_000L);
        // A pet that was held back is tried again soon: what held it back is often only a thread without a processor.
        long retry = Math.max(timings.checkPeriodNs(), period / 50);
        boolean withheld = false;
        while (!closed) {
            LockSupport.parkNanos(this, withheld ? retry : period);
            if (closed) {
                return;
            }
            Decision decision = turn();
            if (decision instanceof Decision.Withhold hold && !withheld) {
                LOG.warn("watchdog not petted: {}: {}", hold.why(), board.running());
            }
            withheld = decision instanceof Decision.Withhold;
        }
    }

    private Decision turn() {
        long now = boottimeNs.getAsLong();
        // The right is read before the board: if it is lost in between, the pet still names checks made under it.
        boolean fresh = rightFresh.getAsBoolean();
        Decision decision = decide(now, board.oldestCheckNs(), fresh, settings.mode(), timings.plainCheckAgeLimitNs());
        if (decision instanceof Decision.Pet pet) {
            if (link.send("WATCHDOG=1\n" + WatchdogSettings.CHECKED_KEY + "=" + pet.checkedNs())) {
                listener.supervisorSeen();
            } else {
                listener.supervisorLost();
            }
        }
        return decision;
    }

    /// Stops petting. The watchdog runs on and kills the process group unless the process ends before.
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
