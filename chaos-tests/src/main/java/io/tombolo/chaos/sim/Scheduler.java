package io.tombolo.chaos.sim;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;

/// Runs the actors of one world strictly one at a time: whoever has the baton runs, everybody else is parked. The only
/// choices are made here, by the seed, at the steps that actors announce; so a seed is a schedule.
///
/// An actor is a virtual thread, so that straight-line code of the product runs as it is; handing the baton on costs
/// less than a microsecond. Time is a counter: a step costs [#STEP_NS], and when nobody can run it jumps to the next
/// actor's wake-up.
final class Scheduler {
    static final long STEP_NS = 50;
    private static final long NEVER = Long.MAX_VALUE;
    /// A spinning actor must not keep the others from what it waits for.
    private static final int LONGEST_RUN = 48;
    /// As long as an actor may be without a core because others of the machine have it.
    private static final long LOST_CORE_NS = 2_000_000;
    private static final long SHORT_LOSS_NS = 50_000;

    /// Unwinds an actor whose process has died, or whose world is over.
    static final class Gone extends Error {
        private static final long serialVersionUID = 1L;

        Gone() {
            super("gone", null, false, false);
        }
    }

    /// One thread of the simulated world.
    final class Actor {
        final String name;
        final SimProcess process;
        private final Thread thread;
        private volatile boolean baton;
        private boolean done;
        private boolean token;
        /// When it can run again; past or present: it can.
        private long wakeNs;

        private Actor(String name, SimProcess process, Runnable body) {
            this.name = name;
            this.process = process;
            this.thread = Thread.ofVirtual().unstarted(() -> main(body));
        }

        private void main(Runnable body) {
            takeBaton();
            try {
                if (!gone()) {
                    body.run();
                }
            } catch (Gone _) {
                // The end of this actor, as asked for.
            } catch (Throwable e) {
                if (!gone()) {
                    failed(this, e);
                }
            }
            done = true;
            passOn();
        }

        private void takeBaton() {
            while (!baton) {
                LockSupport.park(Scheduler.this);
            }
            baton = false;
        }

        private boolean gone() {
            return over || !process.alive();
        }

        /// Lets a parked actor go on, or its next park return at once.
        void wake() {
            token = true;
            if (wakeNs > nowNs) {
                wakeNs = nowNs;
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /// Told of an exception that nobody caught.
    interface Failures {
        void failed(Actor actor, Throwable failure);
    }

    private final Rng rng;
    private final Failures failures;
    private final List<Actor> actors = new ArrayList<>();
    private final int switchPerMille;
    private final int loseCoreIn;
    private final long maxSteps;
    private final Thread driver = Thread.currentThread();
    private Actor current;
    private Actor[] ready = new Actor[16];
    private long nowNs;
    private long steps;
    private int run;
    private boolean over;
    private volatile boolean driverTurn;

    /// @param loseCoreIn an actor that is interrupted loses its core for longer once in so many times; 0: never
    Scheduler(Rng rng, int switchPerMille, int loseCoreIn, long maxSteps, Failures failures) {
        this.loseCoreIn = loseCoreIn;
        this.rng = requireNonNull(rng, "rng is null");
        this.switchPerMille = switchPerMille;
        this.maxSteps = maxSteps;
        this.failures = requireNonNull(failures, "failures is null");
    }

    long nowNs() {
        return nowNs;
    }

    long steps() {
        return steps;
    }

    /// The actor that runs; null before the world is started.
    Actor current() {
        return current;
    }

    boolean isOver() {
        return over;
    }

    /// Ends the world at the present step.
    void end() {
        over = true;
    }

    Actor spawn(SimProcess process, String name, Runnable body) {
        Actor actor = new Actor(name, process, body);
        actor.wakeNs = nowNs;
        actors.add(actor);
        actor.thread.start();
        return actor;
    }

    /// Runs the world until it has ended, nothing can happen any more, or `maxSteps` have been made. For the
    /// driver thread.
    void run() {
        handTo(pick());
        awaitDriver();
        over = true;
        // Who holds a lock first: the others may want it on their way out.
        for (Actor actor : actors) {
            if (actor.process.holds(actor)) {
                unwind(actor);
            }
        }
        for (Actor actor : actors) {
            unwind(actor);
        }
        current = null;
    }

    private void unwind(Actor actor) {
        while (!actor.done) {
            handTo(actor);
            awaitDriver();
        }
    }

    private void awaitDriver() {
        while (!driverTurn) {
            LockSupport.park(this);
        }
        driverTurn = false;
    }

    /// A step of the current actor: others may run before it is made. Throws [Gone] if this actor's process died
    /// meanwhile.
    void step() {
        if (current == null) {
            return;
        }
        Actor me = current;
        if (me.gone()) {
            throw new Gone();
        }
        steps++;
        nowNs += STEP_NS;
        if (steps >= maxSteps) {
            over = true;
            throw new Gone();
        }
        if (++run >= LONGEST_RUN || rng.below(1000) < switchPerMille) {
            if (loseCoreIn > 0 && rng.oneIn(loseCoreIn)) {
                loseCore(me, rng.oneIn(2) ? SHORT_LOSS_NS : LOST_CORE_NS);
            }
            relinquish(me);
        }
    }

    private void loseCore(Actor me, long mostNs) {
        me.wakeNs = nowNs + rng.between(1_000, mostNs);
    }

    /// Once in so many times the current actor loses its core, for about as long as others need to do something.
    void mayLoseCore(int in, long mostNs) {
        if (current != null && rng.oneIn(in)) {
            loseCore(current, mostNs);
            relinquish(current);
        }
    }

    /// The current actor stands still until it is woken or the time has passed.
    void park(long ns) {
        Actor me = current;
        if (me.gone()) {
            throw new Gone();
        }
        if (!me.token) {
            me.wakeNs = ns == NEVER ? NEVER : nowNs + ns;
            relinquish(me);
            me.wakeNs = nowNs;
        }
        me.token = false;
    }

    void parkForever() {
        park(NEVER);
    }

    /// As [#park], and nothing wakes it early.
    void sleep(long ns) {
        Actor me = current;
        if (me.gone()) {
            throw new Gone();
        }
        boolean token = me.token;
        long until = nowNs + ns;
        while (nowNs < until) {
            me.wakeNs = until;
            relinquish(me);
        }
        me.wakeNs = nowNs;
        me.token |= token;
    }

    /// Others run first; the actor stays ready.
    void yieldNow() {
        relinquish(current);
    }

    private void relinquish(Actor me) {
        run = 0;
        me.process.noteMonitor(me);
        Actor next = pick();
        if (next != me) {
            if (next == null) {
                wakeDriver();
            } else {
                handTo(next);
            }
            me.takeBaton();
            current = me;
        }
        me.process.dropMonitor(me);
        if (me.gone()) {
            throw new Gone();
        }
    }

    private void passOn() {
        run = 0;
        Actor next = over ? null : pick();
        if (next == null) {
            wakeDriver();
        } else {
            handTo(next);
        }
    }

    private void wakeDriver() {
        driverTurn = true;
        LockSupport.unpark(driver);
    }

    private void handTo(Actor next) {
        if (next == null) {
            driverTurn = true;
            return;
        }
        current = next;
        next.baton = true;
        LockSupport.unpark(next.thread);
    }

    /// Any actor that can run; time jumps if none can. Null: nothing can happen any more, or the world is over.
    private Actor pick() {
        if (over) {
            return null;
        }
        while (true) {
            int count = 0;
            long soonest = NEVER;
            for (int i = 0; i < actors.size(); i++) {
                Actor actor = actors.get(i);
                if (actor.done || !actor.process.alive()) {
                    if (actor.done) {
                        actors.remove(i--);
                    }
                    continue;
                }
                long at = actor.process.readyNs(actor, actor.wakeNs);
                if (at <= nowNs) {
                    if (count == ready.length) {
                        ready = java.util.Arrays.copyOf(ready, count * 2);
                    }
                    ready[count++] = actor;
                } else {
                    soonest = Math.min(soonest, at);
                }
            }
            if (count > 0) {
                return count == 1 ? ready[0] : ready[rng.below(count)];
            }
            if (soonest == NEVER) {
                return null;
            }
            nowNs = soonest;
        }
    }

    private void failed(Actor actor, Throwable failure) {
        failures.failed(actor, failure);
    }

    /// Tasks of one actor in the order of their time: a control thread, a mailbox, a timer.
    final class Loop {
        private record Task(long atNs, long number, Runnable work) {
        }

        private final List<Task> tasks = new ArrayList<>();
        private final Actor actor;
        private long number;
        private boolean shut;

        Loop(SimProcess process, String name) {
            actor = spawn(process, name, this::work);
        }

        void execute(Runnable task) {
            if (shut) {
                throw new RejectedExecutionException(actor.name);
            }
            add(nowNs, task);
        }

        void schedule(Runnable task, long delayNs) {
            if (shut) {
                throw new RejectedExecutionException(actor.name);
            }
            add(nowNs + delayNs, task);
        }

        private void add(long atNs, Runnable task) {
            int at = tasks.size();
            while (at > 0 && tasks.get(at - 1).atNs > atNs) {
                at--;
            }
            tasks.add(at, new Task(atNs, number++, task));
            actor.wake();
        }

        /// Tasks that are due are done, later ones are dropped.
        void shutdown() {
            shut = true;
            tasks.removeIf(task -> task.atNs > nowNs);
            actor.wake();
        }

        /// Whether a task of it is running.
        boolean runs() {
            return current == actor;
        }

        boolean isShutdown() {
            return shut;
        }

        private void work() {
            while (!shut || !tasks.isEmpty()) {
                if (tasks.isEmpty()) {
                    parkForever();
                } else if (tasks.getFirst().atNs > nowNs) {
                    park(tasks.getFirst().atNs - nowNs);
                } else {
                    tasks.removeFirst().work.run();
                }
            }
        }
    }
}
