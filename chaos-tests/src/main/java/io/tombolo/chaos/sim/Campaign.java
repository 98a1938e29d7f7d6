package io.tombolo.chaos.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/// Many schedules on several threads, seed by seed. Which thread runs a seed makes no difference to it.
final class Campaign {
    /// @param firstFailingSeed the lowest; null if none failed
    /// @param firstViolation what was wrong with it
    /// @param crash what the simulator itself failed with; null if it did not
    record Result(long schedules, long steps, long checks, long handoffs, long violations, Long firstFailingSeed,
            String firstViolation, Throwable crash) {
    }

    /// Told now and then how far it is; any thread.
    interface Progress {
        void at(long schedules, long steps, long violations);
    }

    private static final long PROGRESS_EVERY = 1_000;
    /// A campaign that fails all the time has said what it has to say.
    private static final long VIOLATIONS_MAX = 100;

    private final Wiring wiring;
    private final long seed;
    private final long schedules;
    private final Progress progress;
    private final AtomicLong next = new AtomicLong();
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong steps = new AtomicLong();
    private final AtomicLong checks = new AtomicLong();
    private final AtomicLong handoffs = new AtomicLong();
    private final AtomicLong violations = new AtomicLong();
    private final AtomicReference<Simulator.Outcome> first = new AtomicReference<>();
    private final AtomicReference<Throwable> crash = new AtomicReference<>();

    Campaign(Wiring wiring, long seed, long schedules, Progress progress) {
        this.wiring = wiring;
        this.seed = seed;
        this.schedules = schedules;
        this.progress = progress;
    }

    /// Runs seeds `seed` to `seed + schedules - 1`, and returns when all are done.
    Result run(int threads) throws InterruptedException {
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(Thread.ofPlatform().daemon().name("simulate-" + i).start(this::work));
        }
        for (Thread worker : workers) {
            worker.join();
        }
        Simulator.Outcome failed = first.get();
        return new Result(done.get(), steps.get(), checks.get(), handoffs.get(), violations.get(),
                failed == null ? null : failed.seed(), failed == null ? null : failed.violation(), crash.get());
    }

    private void work() {
        try {
            Simulator simulator = new Simulator(wiring);
            for (long i = next.getAndIncrement(); i < schedules && violations.get() < VIOLATIONS_MAX
                    && crash.get() == null; i = next.getAndIncrement()) {
                note(simulator.run(seed + i, false));
            }
        } catch (RuntimeException | Error e) {
            crash.compareAndSet(null, e);
        }
    }

    private void note(Simulator.Outcome outcome) {
        steps.addAndGet(outcome.steps());
        checks.addAndGet(outcome.checks());
        handoffs.addAndGet(outcome.handoffs());
        if (outcome.failed()) {
            violations.incrementAndGet();
            first.accumulateAndGet(outcome, (old, now) -> old == null || now.seed() < old.seed() ? now : old);
        }
        long count = done.incrementAndGet();
        if (count % PROGRESS_EVERY == 0) {
            progress.at(count, steps.get(), violations.get());
        }
    }
}
