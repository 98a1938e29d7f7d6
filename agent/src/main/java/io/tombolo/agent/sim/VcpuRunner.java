package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.Shootdown;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/// Runs the vCPUs of one simulated VM on this host: one daemon platform thread `vm-<name>-vcpu-<n>` each, in slices
/// whose length is an instruction count and never a time.
///
/// Between slices a thread looks at the gate (one volatile load) and asks for its right ([RightCheck]); vCPU 0 also
/// executes client requests. Stopped threads are parked; no thread of this class spins.
///
/// Life: created stopped. [#resume] runs a VM whose state is in place, [#arm] waits for one to arrive. [#requestStop]
/// and [#requestSwitch] bring all vCPUs to a stop; the last one to stop carries out the switch-over on its own
/// thread. [#kill] ends the threads. All methods may be called from any thread but a vCPU's.
public final class VcpuRunner implements AutoCloseable {
    private static final long KILL_TIMEOUT_MS = 10_000;

    /// Everything a runner needs beside the VM itself.
    ///
    /// @param right      asked before every slice; if it throws, the VM stops as failed
    /// @param requests   client requests, null if the VM takes none
    /// @param log        log of executed requests, null only together with `requests`
    /// @param listener   hears of stops and damage
    /// @param executor   where futures are completed and the listener is called
    /// @param idleParkNs how long a vCPU sleeps after each slice, 0 = never: for many VMs on few cores. Keep it well
    ///                   below the
    ///                   interval in which the right must be checked
    public record Options(RightCheck right, RequestQueue requests, InputLog log, VmListener listener, Executor executor,
            long idleParkNs) {
        public Options {
            requireNonNull(right, "right is null");
            requireNonNull(listener, "listener is null");
            requireNonNull(executor, "executor is null");
            if (requests != null) {
                requireNonNull(log, "log is null");
            }
        }
    }

    /// What the threads are doing.
    public enum State {
        /// Parked, all stopped.
        STOPPED,
        /// vCPU 0's thread waits for a VM to arrive.
        ARMED,
        /// Executing.
        RUNNING,
        /// Asked to stop, not all have.
        STOPPING,
        /// The threads are ending or have ended.
        DEAD
    }

    private record Failure(StopReason reason, Throwable cause) {
    }

    private record Ticket(SwitchAction action, CompletableFuture<SwitchAction.Outcome> done) {
    }

    private final String vmName;
    private final SimulatedState state;
    private final GuestProgram program;
    private final GuestMemory[] memories;
    private final VcpuSlices slices;
    private final Options options;
    private final Thread[] threads;
    private final VcpuGate gate;
    private final VcpuTimes times;
    private final AtomicReference<Failure> failure = new AtomicReference<>();
    private final Object control = new Object();
    private volatile CompletableFuture<StopReport> stopped = CompletableFuture
            .completedFuture(new StopReport(StopReason.REQUESTED, null, 0));
    private volatile Ticket ticket;
    private volatile IncomingWaiter armed;
    // vCPU 0's own: it opened the gate itself and has not woken the others yet.
    private boolean followersAsleep;
    // Of the thread that settles; the gate orders one after the other.
    private long lastSettledNs;

    private VcpuRunner(String vmName, SimulatedState state, IntFunction<GuestMemory> memoryOf, Shootdown shootdown,
            Options options) {
        this.vmName = requireNonNull(vmName, "vmName is null");
        this.state = requireNonNull(state, "state is null");
        requireNonNull(shootdown, "shootdown is null");
        this.options = requireNonNull(options, "options is null");
        this.program = state.spec().program();
        this.threads = new Thread[state.spec().vcpus()];
        this.gate = new VcpuGate(threads);
        this.times = new VcpuTimes(threads.length);
        this.memories = new GuestMemory[threads.length];
        for (int i = 0; i < memories.length; i++) {
            memories[i] = requireNonNull(memoryOf.apply(i), "memory is null");
            if (memories[i].bytes() != state.spec().memoryBytes()) {
                throw new IllegalArgumentException("memory does not fit the definition: bytes=" + memories[i].bytes()
                        + " defined=" + state.spec().memoryBytes());
            }
        }
        this.slices = new VcpuSlices(state, memories, shootdown, options);
    }

    /// For a VM whose pages never move.
    public static VcpuRunner create(String vmName, SimulatedState state, GuestMemory memory, Options options) {
        return create(vmName, state, _ -> memory, new Shootdown(state.spec().vcpus()), options);
    }

    /// Makes the threads, parked.
    ///
    /// @param memoryOf  the VM's memory as the vCPU of that number sees it
    /// @param shootdown told between slices, so that pages can move while the vCPUs run
    public static VcpuRunner create(String vmName, SimulatedState state, IntFunction<GuestMemory> memoryOf,
            Shootdown shootdown, Options options) {
        VcpuRunner runner = new VcpuRunner(vmName, state, memoryOf, shootdown, options);
        for (int i = 0; i < runner.threads.length; i++) {
            int vcpu = i;
            runner.threads[i] = Thread.ofPlatform().daemon().name("vm-" + vmName + "-vcpu-" + i)
                    .unstarted(() -> runner.threadMain(vcpu));
        }
        for (Thread thread : runner.threads) {
            thread.start();
        }
        return runner;
    }

    // ---- control side ----

    /// Lets stopped vCPUs run from the state that is in place, booting those that never ran.
    ///
    /// @throws TomboloException [SimError#VCPU_NOT_STOPPED] if they run, stop or wait for an arrival;
    ///                          [SimError#VCPU_FAILED] if the VM cannot go on
    public void resume() {
        synchronized (control) {
            checkIdle();
            failure.set(null);
            stopped = new CompletableFuture<>();
            gate.open();
            gate.wake(-1);
        }
    }

    /// Has vCPU 0's thread call the waiter, and run when it returns true. Whatever state was in place is replaced.
    ///
    /// @throws TomboloException as [#resume]
    public void arm(IncomingWaiter waiter) {
        requireNonNull(waiter, "waiter is null");
        synchronized (control) {
            checkIdle();
            failure.set(null);
            stopped = new CompletableFuture<>();
            armed = waiter;
            LockSupport.unpark(threads[0]);
        }
    }

    /// Makes the waiter of [#arm] look around now, if it sleeps in [LockSupport].
    public void wakeArmed() {
        LockSupport.unpark(threads[0]);
    }

    private void checkIdle() {
        if (!gate.settled() || armed != null || gate.order() == VcpuGate.KILL) {
            throw refusal(SimError.VCPU_NOT_STOPPED, "the vCPUs are not stopped");
        }
        Failure failed = failure.get();
        if (failed != null && !failed.reason.resumable()) {
            throw TomboloException.error(SimError.VCPU_FAILED, "the VM stopped because of a failure").fact("vm", vmName)
                    .fact("reason", failed.reason).fact("cause", failed.cause).next("tombolo vm show " + vmName)
                    .cause(failed.cause).build();
        }
    }

    private TomboloException refusal(SimError code, String what) {
        return TomboloException.error(code, what).fact("vm", vmName).fact("state", state()).build();
    }

    /// Asks all vCPUs to stop; they do at the end of their slices. The future completes when all have; asking again
    /// while they stop, or are stopped, gives the same future.
    ///
    /// @throws TomboloException [SimError#VCPU_BUSY] while a switch-over or an arrival is under way, or after [#kill]
    public CompletableFuture<StopReport> requestStop() {
        synchronized (control) {
            if (!gate.request(VcpuGate.STOP)) {
                int order = gate.order();
                if ((order == VcpuGate.SWITCH && !gate.settled()) || order == VcpuGate.KILL || armed != null) {
                    throw refusal(SimError.VCPU_BUSY, "the vCPUs cannot be stopped now");
                }
            }
            gate.wake(-1);
            return stopped;
        }
    }

    /// Asks all vCPUs to stop and the last one to carry out the action on its thread. The future completes with the
    /// action's outcome, or exceptionally if the action threw (the VM is then stopped as failed) or was not run
    /// because the VM stopped for another reason.
    ///
    /// @throws TomboloException [SimError#VCPU_BUSY] if the vCPUs are not running or something else was asked before
    public CompletableFuture<SwitchAction.Outcome> requestSwitch(SwitchAction action) {
        requireNonNull(action, "action is null");
        synchronized (control) {
            if (gate.isOpen()) {
                // Nobody reads the ticket before the request below wins: a stop from inside does not look at it, and
                // all others come through this lock.
                Ticket next = new Ticket(action, new CompletableFuture<>());
                ticket = next;
                if (gate.request(VcpuGate.SWITCH)) {
                    if (options.idleParkNs > 0) {
                        gate.wake(-1);
                    }
                    return next.done;
                }
                ticket = null;
            }
            throw refusal(SimError.VCPU_BUSY, "the vCPUs cannot be switched over now");
        }
    }

    /// Ends the threads at the end of their slices and waits for them; the VM's state stays as it is.
    ///
    /// @throws TomboloException [SimError#VCPU_NOT_STOPPED] if a thread does not end within ten seconds
    public void kill() {
        synchronized (control) {
            gate.kill();
            if (armed != null) {
                threads[0].interrupt();
            }
        }
        long deadlineNs = System.nanoTime() + KILL_TIMEOUT_MS * 1_000_000;
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                if (leftMs <= 0) {
                    throw refusal(SimError.VCPU_NOT_STOPPED, "a vCPU thread does not end");
                }
                try {
                    thread.join(leftMs);
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        StopReport report = new StopReport(StopReason.KILLED, null, lastInstructionNs());
        if (stopped.complete(report)) {
            later(() -> options.listener.stopped(report));
        }
        Ticket pending = ticket;
        if (pending != null) {
            pending.done
                    .completeExceptionally(refusal(SimError.VCPU_FAILED, "the VM was killed before its switch-over"));
        }
    }

    @Override
    public void close() {
        kill();
    }

    /// Who commits the intervals of the VM from its next start on; null: it is not protected. While it is stopped.
    public void commits(Checkpointer checkpointer) {
        slices.commits(checkpointer);
    }

    public State state() {
        int order = gate.order();
        if (order == VcpuGate.KILL) {
            return State.DEAD;
        }
        if (!gate.settled()) {
            return order == VcpuGate.RUN ? State.RUNNING : State.STOPPING;
        }
        return armed == null ? State.STOPPED : State.ARMED;
    }

    /// The registers; see [SimulatedState] for who may touch them when.
    public SimulatedState vm() {
        return state;
    }

    /// `System.nanoTime()` after the last instruction of any vCPU before the latest stop; 0 if none was executed.
    public long lastInstructionNs() {
        return times.last();
    }

    /// `System.nanoTime()` just before vCPU 0's first instruction after the latest start.
    public long startedNs() {
        return times.started();
    }

    /// `System.nanoTime()` just after vCPU 0's first instruction after the latest start.
    public long firstInstructionDoneNs() {
        return times.firstInstructionDone();
    }

    /// Checks all guest memory against the registers while the VM is stopped, without changing either.
    /// No page of it may be moved meanwhile: this is no vCPU, and no mover waits for it.
    ///
    /// @return failed checks, those that the VM counted itself included
    /// @throws TomboloException [SimError#VCPU_NOT_STOPPED] if it is not stopped
    public long checkAll() {
        synchronized (control) {
            if (state() != State.STOPPED) {
                throw refusal(SimError.VCPU_NOT_STOPPED, "the vCPUs are not stopped");
            }
            long errors = 0;
            for (int i = 0; i < threads.length; i++) {
                VcpuRegisters copy = new VcpuRegisters();
                copy.copyFrom(state.vcpu(i));
                if (copy.get(VcpuRegisters.BOOTED) != 0) {
                    program.checkAll(copy, memories[i]);
                }
                errors += copy.get(VcpuRegisters.ERRORS);
            }
            return errors;
        }
    }

    /// For the waiter that [#arm] was given, on its thread: touches what the first instruction after an arrival needs,
    /// so that it is in this core's caches. Changes nothing.
    public long warm() {
        times.warm();
        VcpuRegisters regs = state.vcpu(0);
        return gate.generation() + (gate.isOpen() ? 1 : 0) + program.sliceInstructions()
                + regs.get(VcpuRegisters.ERRORS) + regs.get(VcpuRegisters.BOOTED);
    }

    // ---- vCPU side ----

    private void threadMain(int vcpu) {
        long arrivedIn = 0;
        while (awaitOpen(vcpu, arrivedIn)) {
            // Stable while this thread is counted in: nobody can open before it arrives.
            arrivedIn = gate.generation();
            boolean started = runUntilClosed(vcpu);
            if (vcpu == 0 && followersAsleep) {
                wakeFollowers();
            }
            // Whoever may have to carry out a switch-over still stores, so it does not count as stopped yet.
            boolean switching = gate.order() == VcpuGate.SWITCH;
            if (!switching) {
                options.right.stopped(vcpu);
            }
            boolean last = gate.arrive();
            if (last && gate.order() != VcpuGate.KILL) {
                settle(vcpu, started);
            } else if (switching) {
                options.right.stopped(vcpu);
            }
        }
    }

    private boolean awaitOpen(int vcpu, long arrivedIn) {
        while (gate.order() != VcpuGate.KILL) {
            if (gate.hasOpenedSince(arrivedIn)) {
                return true;
            }
            IncomingWaiter waiter = vcpu == 0 ? armed : null;
            if (waiter == null) {
                gate.park();
            } else if (arrived(waiter)) {
                return true;
            }
        }
        return false;
    }

    private boolean arrived(IncomingWaiter waiter) {
        try {
            if (waiter.await(state)) {
                followersAsleep = threads.length > 1;
                boolean opened = gate.open();
                armed = null;
                return opened;
            }
            armed = null;
            report(new StopReport(StopReason.ARRIVAL_CALLED_OFF, null, lastInstructionNs()));
        } catch (Throwable t) {
            failure.compareAndSet(null, new Failure(StopReason.FAILED, t));
            armed = null;
            report(new StopReport(StopReason.FAILED, t, lastInstructionNs()));
        }
        return false;
    }

    private void wakeFollowers() {
        followersAsleep = false;
        gate.wake(0);
    }

    /// Returns whether the right was given to this thread.
    private boolean runUntilClosed(int vcpu) {
        VcpuRegisters regs = state.vcpu(vcpu);
        long slice = program.sliceInstructions();
        long errorsBefore = regs.get(VcpuRegisters.ERRORS);
        boolean executed = false;
        boolean in = false;
        boolean whole = true;
        while (gate.isOpen()) {
            try {
                if (!(executed ? options.right.check(vcpu) : options.right.start(vcpu))) {
                    halt(StopReason.RIGHT_LAPSED, null);
                    break;
                }
                if (executed) {
                    // What asked for a stop from inside the check has just warmed this core's caches for it.
                    in = slices.run(vcpu, regs, gate.isOpen() ? slice : 1, gate);
                } else {
                    executed = true;
                    slices.begin(vcpu);
                    in = true;
                    runFirst(vcpu, regs);
                }
            } catch (GuestFault fault) {
                whole = false;
                VcpuSlices.noteFault(regs, fault);
                halt(StopReason.GUEST_FAULT, fault);
                break;
            } catch (Throwable t) {
                whole = false;
                halt(StopReason.FAILED, t);
                break;
            }
            if (!in) {
                halt(slices.commits().isLost() ? StopReason.COMMIT_LOST : StopReason.RIGHT_LAPSED, null);
                break;
            }
            if (regs.get(VcpuRegisters.ERRORS) != 0 && errorsBefore == 0) {
                errorsBefore = 1;
                reportDamage(vcpu, regs);
            }
        }
        slices.end(vcpu, in, whole);
        if (executed) {
            times.ends(vcpu);
            options.right.ended(vcpu);
        }
        return executed;
    }

    private void runFirst(int vcpu, VcpuRegisters regs) {
        options.right.begins(vcpu);
        times.starts(vcpu);
        slices.first(vcpu, regs);
        if (vcpu == 0) {
            times.firstDone();
            if (followersAsleep) {
                wakeFollowers();
            }
        }
    }

    private void halt(StopReason reason, Throwable cause) {
        failure.compareAndSet(null, new Failure(reason, cause));
        gate.request(VcpuGate.HALT);
        if (options.idleParkNs > 0) {
            gate.wake(-1);
        }
    }

    /// On the thread that stopped last, everybody else parked or about to.
    private void settle(int vcpu, boolean started) {
        long last = lastInstructionNs();
        if (last != lastSettledNs) {
            // Otherwise nothing was executed since the state arrived, and its time is that of the host before.
            state.stoppedAtNs(last);
            lastSettledNs = last;
        }
        Ticket switching = gate.order() == VcpuGate.SWITCH ? ticket : null;
        SwitchAction.Outcome outcome = null;
        if (switching != null) {
            outcome = switchOver(switching, vcpu, started);
            options.right.stopped(vcpu);
            ticket = null;
        }
        if (outcome == SwitchAction.Outcome.RESUME) {
            if (gate.open()) {
                gate.wake(-1);
            }
            later(() -> switching.done.complete(SwitchAction.Outcome.RESUME));
            return;
        }
        StopReport report = stopReport(outcome);
        CompletableFuture<StopReport> settledNow = stopped;
        SwitchAction.Outcome result = outcome;
        gate.settle();
        later(() -> {
            settledNow.complete(report);
            if (switching != null) {
                answer(switching, result, report);
            }
            options.listener.stopped(report);
        });
    }

    /// The outcome, null if the action was not run or threw; then [#failure] says why.
    private SwitchAction.Outcome switchOver(Ticket switching, int vcpu, boolean started) {
        if (failure.get() != null) {
            return null;
        }
        try {
            // A thread that was woken too late to execute anything may still be the one to carry it out.
            if (!started && !options.right.start(vcpu)) {
                failure.set(new Failure(StopReason.RIGHT_LAPSED, null));
                return null;
            }
            SwitchAction.Outcome outcome = requireNonNull(switching.action.switchOver(state), "outcome is null");
            if (outcome == SwitchAction.Outcome.LOST) {
                failure.set(new Failure(StopReason.COMMIT_LOST, null));
            }
            return outcome;
        } catch (Throwable t) {
            failure.set(new Failure(StopReason.FAILED, t));
            return null;
        }
    }

    private void answer(Ticket switching, SwitchAction.Outcome outcome, StopReport report) {
        if (outcome != null) {
            switching.done.complete(outcome);
        } else {
            switching.done.completeExceptionally(
                    TomboloException.error(SimError.VCPU_FAILED, "the VM stopped and was not switched over")
                            .fact("vm", vmName).fact("reason", report.reason()).fact("cause", report.cause())
                            .next("tombolo vm show " + vmName).cause(report.cause()).build());
        }
    }

    private StopReport stopReport(SwitchAction.Outcome outcome) {
        Failure failed = failure.get();
        StopReason reason = switch (outcome) {
            case DEPARTED -> StopReason.DEPARTED;
            case LOST -> StopReason.COMMIT_LOST;
            case STOP, RESUME -> StopReason.SWITCH_ENDED;
            case null -> failed == null ? StopReason.REQUESTED : failed.reason;
        };
        return new StopReport(reason, failed == null ? null : failed.cause, state.stoppedAtNs());
    }

    private void report(StopReport report) {
        CompletableFuture<StopReport> settledNow = stopped;
        later(() -> {
            settledNow.complete(report);
            options.listener.stopped(report);
        });
    }

    private void reportDamage(int vcpu, VcpuRegisters regs) {
        VmListener.SelfCheckFailure found = new VmListener.SelfCheckFailure(
                SelfCheck.describe(regs.get(VcpuRegisters.FIRST_ERROR_KIND)), regs.get(VcpuRegisters.FIRST_ERROR_GPA),
                regs.get(VcpuRegisters.FIRST_ERROR_INSTRUCTION));
        later(() -> options.listener.selfCheckFailed(vcpu, found));
    }

    private void later(Runnable task) {
        try {
            options.executor.execute(task);
        } catch (RejectedExecutionException _) {
            // The agent is going down; whoever still waits must hear it all the same.
            task.run();
        }
    }
}
