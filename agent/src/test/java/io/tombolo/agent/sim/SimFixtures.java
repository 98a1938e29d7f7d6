package io.tombolo.agent.sim;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/// Things that several tests of the simulated hypervisor need.
final class SimFixtures {
    static final long MIB = 1 << 20;
    static final UUID UUID_1 = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    private static final long TIMEOUT_S = 20;
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    private SimFixtures() {
    }

    static GuestSpec spec(GuestProgram program, long memoryBytes, int vcpus, AccessPattern pattern, long seed) {
        return new GuestSpec(UUID_1, memoryBytes, vcpus, program, 0, pattern, seed);
    }

    static VcpuRunner.Options options() {
        return options(RightCheck.ALWAYS, null, null, VmListener.NONE);
    }

    static VcpuRunner.Options options(RightCheck right, RequestQueue requests, InputLog log, VmListener listener) {
        return new VcpuRunner.Options(right, requests, log, listener, Runnable::run, 0);
    }

    /// A right that is a question per slice.
    static RightCheck right(IntPredicate mayRun) {
        return new RightCheck() {
            @Override
            public boolean start(int vcpu) {
                return mayRun.test(vcpu);
            }

            @Override
            public boolean check(int vcpu) {
                return mayRun.test(vcpu);
            }

            @Override
            public void stopped(int vcpu) {
            }
        };
    }

    static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(TIMEOUT_S, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("did not complete in time", e);
        }
    }

    static void await(BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("condition did not become true in time");
            }
            pause();
        }
    }

    /// The poll interval of a deadline loop: leaves the core to the threads under test.
    static void pause() {
        try {
            NEVER.await(20, TimeUnit.MICROSECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Runs all vCPUs of a fresh VM on the calling thread.
    static SimulatedState runFresh(GuestSpec spec, GuestMemory memory, long instructions) {
        SimulatedState state = SimulatedState.fresh(spec);
        for (int i = 0; i < spec.vcpus(); i++) {
            spec.program().boot(state.vcpu(i), memory, spec);
            spec.program().run(state.vcpu(i), memory, instructions);
        }
        return state;
    }
}
