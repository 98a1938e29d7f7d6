package io.tombolo.agent.handoff;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// The one thread on which everything about a VM happens on its host.
final class ControlThread {
    private ControlThread() {
    }

    static Control start(String vm) {
        ScheduledThreadPoolExecutor control = new ScheduledThreadPoolExecutor(1,
                Thread.ofPlatform().daemon().name("vm-" + vm + "-control").factory());
        control.setRemoveOnCancelPolicy(true);
        control.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return new Pool(control);
    }

    private record Pool(ScheduledThreadPoolExecutor pool) implements Control {
        @Override
        public void execute(Runnable task) {
            pool.execute(task);
        }

        @Override
        public void schedule(Runnable task, long delayNs) {
            var _ = pool.schedule(task, delayNs, TimeUnit.NANOSECONDS);
        }

        @Override
        public void shutdown() {
            pool.shutdown();
        }

        @Override
        public boolean isShutdown() {
            return pool.isShutdown();
        }
    }

    /// Runs a task there; completes as what it returns.
    ///
    /// @param left what a caller is told when the VM has left the host
    static <T> CompletableFuture<T> submit(Executor control, Callable<CompletableFuture<T>> task,
            Supplier<? extends RuntimeException> left) {
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            control.execute(() -> {
                try {
                    var _ = task.call().whenComplete((value, error) -> {
                        if (error != null) {
                            result.completeExceptionally(error);
                        } else {
                            result.complete(value);
                        }
                    });
                } catch (Throwable e) {
                    // Whatever it is, the caller must hear of it; the control thread goes on for the next operation.
                    result.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(left.get());
        }
        return result;
    }
}
