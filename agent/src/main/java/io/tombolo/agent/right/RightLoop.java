package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The thin edge round [RightKeeper]: one thread that takes events from a queue, adds ticks, readings of the slot word
/// and of the clocks, moves the gate of the [CheckBoard] and calls the agent's [RightActions].
///
/// If an action throws, the gate is closed and the agent is told to exit: a keeper that does not know what has been
/// done keeps nothing.
public final class RightLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RightLoop.class);

    private final RightKeeper keeper;
    private final CheckBoard board;
    private final RightActions actions;
    private final LongSupplier boottimeNs;
    private final LongSupplier slotWord;
    private final ClockWatch clocks;
    private final long tickMs;
    private final LinkedBlockingQueue<RightEvent> events = new LinkedBlockingQueue<>();
    private final Thread thread;
    private volatile RightState state;
    private volatile boolean closed;

    public RightLoop(RightKeeper keeper, CheckBoard board, RightActions actions, LongSupplier boottimeNs,
            LongSupplier monotonicNs, LongSupplier slotWord, Timings timings) {
        this.keeper = requireNonNull(keeper, "keeper is null");
        this.board = requireNonNull(board, "board is null");
        this.actions = requireNonNull(actions, "actions is null");
        this.boottimeNs = requireNonNull(boottimeNs, "boottimeNs is null");
        this.slotWord = requireNonNull(slotWord, "slotWord is null");
        this.tickMs = timings.keeperTickMs();
        this.clocks = new ClockWatch(boottimeNs, monotonicNs, timings.keeperTickMs() * 1_000_000L);
        this.state = keeper.initial(boottimeNs.getAsLong());
        this.thread = Thread.ofPlatform().name("tombolo-right").daemon().unstarted(this::run);
    }

    /// Starts the keeper. Only from here on does it count how long heartbeats and the supervisor are silent: what an
    /// agent does between making its keeper and starting it may take longer than W on a busy machine.
    public void start() {
        begin();
        thread.start();
    }

    /// In place of [#start], for who makes the turns himself: nothing waits and no thread is started.
    public void begin() {
        state = keeper.initial(boottimeNs.getAsLong());
    }

    /// Tells the keeper; any thread, never waits.
    public void post(RightEvent event) {
        events.add(requireNonNull(event, "event is null"));
    }

    public void renewDone(long generation) {
        post(new RightEvent.RenewDone(generation));
    }

    /// The right is held, as of the keeper's last step; what the petter asks.
    public boolean fresh() {
        return state.held();
    }

    public RightState state() {
        return state;
    }

    private void run() {
        try {
            while (!closed && state.phase() != RightPhase.ENDED) {
                turn();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            board.closeGate();
        } catch (RuntimeException | Error e) {
            board.closeGate();
            state = state.withPhase(RightPhase.ENDED);
            LOG.error("the right keeper failed; the agent exits", e);
            actions.exit(LapseReason.KEEPER_FAILED, false);
        }
    }

    private void turn() throws InterruptedException {
        turn(events.poll(tickMs, TimeUnit.MILLISECONDS));
    }

    /// One turn, due every [Timings#keeperTickMs]: looks at clocks and slot word, then takes the next event, if there
    /// is one.
    public void turnNow() {
        turn(events.poll());
    }

    private void turn(RightEvent event) {
        long jump = clocks.jumpNs();
        if (jump > 0) {
            step(new RightEvent.BoottimeJump(jump));
        }
        step(new RightEvent.SlotWordSeen(slotWord.getAsLong()));
        RightPhase phase = state.phase();
        if ((phase == RightPhase.STOPPING || phase == RightPhase.ENDING) && board.allStopped()) {
            step(new RightEvent.StoringStopped(phase == RightPhase.ENDING && actions.guestsGone()));
        }
        if (event != null) {
            step(event);
        }
    }

    private void step(RightEvent event) {
        RightKeeper.Step step = keeper.step(state, event, boottimeNs.getAsLong());
        state = step.state();
        for (RightEffect effect : step.effects()) {
            perform(effect);
        }
        if (state.held() && !closed) {
            board.openGate(state.deadlineNs());
        }
    }

    private void perform(RightEffect effect) {
        LOG.info("right keeper: {}", effect);
        switch (effect) {
            case RightEffect.Warn e -> actions.warn(e.remainingNs());
            case RightEffect.PauseAll e -> {
                board.closeGate();
                actions.pauseAll(e.reason(), e.terminal());
            }
            case RightEffect.RenewAll e -> actions.renewAll(e.generation());
            case RightEffect.ResumeAll e -> {
                board.openGate(state.deadlineNs());
                actions.resumeAll(e.generation());
            }
            case RightEffect.StopVm e -> actions.stopVm(e.vmSlot());
            case RightEffect.SayStopped _ -> actions.sayStopped();
            case RightEffect.Exit e -> actions.exit(e.reason(), e.allStopped());
        }
    }

    /// Ends the keeper: the gate closes and stays closed. Does not stop what runs behind it, and tells nobody.
    @Override
    public void close() {
        closed = true;
        // An action may close its own keeper; everybody else waits, so that no step under way opens the gate again.
        if (!Thread.currentThread().equals(thread) && thread.isAlive()) {
            thread.interrupt();
            try {
                thread.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        board.closeGate();
    }
}
