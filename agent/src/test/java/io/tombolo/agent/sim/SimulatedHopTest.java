package io.tombolo.agent.sim;

import io.tombolo.agent.pages.GuestCopier;
import static io.tombolo.agent.sim.SimFixtures.MIB;
import static io.tombolo.agent.sim.SimFixtures.await;
import static io.tombolo.agent.sim.SimFixtures.spec;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Hops between runners that share memory the way hosts share the region: the shape of a hand-off, without the region.
@Timeout(60)
final class SimulatedHopTest {
    private static final int HOSTS = 3;

    @TempDir
    Path directory;

    /// One simulated host: its own mapping object, registers, codec, queue and log.
    private static final class Host {
        final VcpuRunner runner;
        final SimulatedStateCodec codec;
        final RequestQueue queue = new RequestQueue(64, Runnable::run);
        final InputLog log = InputLog.inMemory(100_000);

        Host(GuestSpec spec, GuestMemory memory, int index) {
            codec = new SimulatedStateCodec(spec);
            runner = VcpuRunner.create("hop" + index, SimulatedState.fresh(spec), memory,
                    new VcpuRunner.Options(RightCheck.ALWAYS, queue, log, VmListener.NONE, Runnable::run, 0));
            queue.leave();
        }
    }

    private final AtomicInteger owner = new AtomicInteger(0);
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final MemorySegment blob = MemorySegment.ofArray(new byte[64 * 1024]);

    private IncomingWaiter waiter(List<Host> hosts, int host) {
        return into -> {
            while (owner.get() != host) {
                if (cancelled.get() || Thread.currentThread().isInterrupted()) {
                    return false;
                }
                Thread.onSpinWait();
            }
            hosts.get(host).codec.decode(blob, SimulatedStateCodec.length(into.spec()), into);
            return true;
        };
    }

    private void hop(List<Host> hosts, int from, int to) {
        Host source = hosts.get(from);
        Host target = hosts.get(to);
        target.runner.arm(waiter(hosts, to));
        SwitchAction.Outcome outcome = await(source.runner.requestSwitch(state -> {
            source.codec.encode(state, blob);
            owner.set(to);
            return SwitchAction.Outcome.DEPARTED;
        }));
        assertThat(outcome).isEqualTo(SwitchAction.Outcome.DEPARTED);
        source.queue.leave();
        target.queue.reopen();
        await(() -> target.runner.state() == VcpuRunner.State.RUNNING);
    }

    @ParameterizedTest
    @CsvSource({"dirty,1", "dirty,3", "kv,2", "bank,2"})
    void aVmThatHopsUnderClientsLeavesTheImageOfOneThatNeverMoved(String program, int vcpus) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        GuestSpec spec = spec(GuestProgram.of(program), MIB, vcpus, AccessPattern.UNIFORM, seed);
        try (ScratchMemory scratch = new ScratchMemory(MIB, seed)) {
            List<Host> hosts = new ArrayList<>();
            for (int i = 0; i < HOSTS; i++) {
                hosts.add(new Host(spec, scratch.memory(), i));
            }
            hosts.getFirst().queue.reopen();
            hosts.getFirst().runner.resume();
            await(() -> hosts.getFirst().runner.firstInstructionDoneNs() > 0);
            AtomicBoolean stop = new AtomicBoolean();
            AtomicInteger answered = new AtomicInteger();
            Thread client = Thread.ofPlatform().start(() -> client(spec, hosts, stop, answered));
            long[] downtimes = new long[100];
            int at = 0;
            for (int i = 0; i < downtimes.length; i++) {
                int to = (at + 1) % HOSTS;
                hop(hosts, at, to);
                Host target = hosts.get(to);
                await(() -> target.runner.startedNs() > target.runner.vm().stoppedAtNs());
                downtimes[i] = target.runner.startedNs() - target.runner.vm().stoppedAtNs();
                at = to;
                int before = answered.get();
                await(() -> program.equals("dirty") || answered.get() > before);
            }
            stop.set(true);
            await(() -> !client.isAlive());
            VcpuRunner last = hosts.get(at).runner;
            await(last.requestStop());
            hosts.get(at).queue.leave();
            Arrays.sort(downtimes);
            System.out.println("downtime ns " + program + " vcpus=" + vcpus + " p50=" + downtimes[downtimes.length / 2]
                    + " p99=" + downtimes[downtimes.length * 99 / 100]);
            assertThat(downtimes[0]).isPositive();
            verify(spec, scratch, last, InputLog.merge(hosts.stream().map(host -> host.log.entries()).toList()));
            assertThat(answered.get() > 0).isEqualTo(!program.equals("dirty"));
            hosts.forEach(host -> host.runner.kill());
        }
    }

    private void verify(GuestSpec spec, ScratchMemory scratch, VcpuRunner last, List<InputLog.Entry> log) {
        SimulatedState state = last.vm();
        assertThat((long) log.size()).isEqualTo(state.vcpu(0).get(VcpuRegisters.REQUESTS));
        try (ReferenceRun reference = ReferenceRun.compute(spec, state.instructions(), log, directory)) {
            MemoryComparison.Result result = MemoryComparison.compare(scratch.memory(), reference.memory(),
                    new GuestCopier());
            assertThat(result.identical()).as(result.toString()).isTrue();
            assertThat(reference.registerDifference(state)).isEmpty();
        }
        assertThat(last.checkAll()).isZero();
    }

    /// Retries every operation with the same sequence number until some host has executed it.
    private void client(GuestSpec spec, List<Host> hosts, AtomicBoolean stop, AtomicInteger answered) {
        if (spec.program() == GuestProgram.DIRTY) {
            return;
        }
        long expected = 0;
        for (long sequence = 1; !stop.get(); sequence++) {
            GuestRequest request = spec.program() == GuestProgram.KV
                    ? GuestRequest.of(1, sequence, sequence == 1 ? GuestOp.KV_WRITE : GuestOp.KV_CAS, 7,
                            sequence == 1 ? 1 : expected, expected + 1)
                    : GuestRequest.of(1, sequence, GuestOp.BANK_TRANSFER, sequence % 16, (sequence + 5) % 16, 3);
            GuestReply reply = null;
            for (int host = 0; reply == null; host = (host + 1) % HOSTS) {
                GuestReply answer = await(hosts.get(host).queue.submit(request).reply());
                if (answer.status() != ReplyStatus.NOT_OWNER && answer.status() != ReplyStatus.QUEUE_FULL) {
                    reply = answer;
                }
            }
            assertThat(reply.status()).isEqualTo(ReplyStatus.OK);
            if (spec.program() == GuestProgram.KV) {
                expected = sequence == 1 ? 1 : expected + 1;
                assertThat(reply.value()).isEqualTo(expected);
            }
            answered.incrementAndGet();
        }
    }

    @Test
    void anArrivalThatNeverComesIsTakenBackBySource() {
        GuestSpec spec = spec(GuestProgram.DIRTY, MIB, 2, AccessPattern.SEQUENTIAL, 3);
        try (ScratchMemory scratch = new ScratchMemory(MIB, 3)) {
            List<Host> hosts = List.of(new Host(spec, scratch.memory(), 0), new Host(spec, scratch.memory(), 1));
            Host source = hosts.get(0);
            Host target = hosts.get(1);
            source.runner.resume();
            target.runner.arm(waiter(hosts, 1));
            await(source.runner.requestSwitch(state -> {
                source.codec.encode(state, blob);
                return SwitchAction.Outcome.DEPARTED;
            }));
            cancelled.set(true);
            await(() -> target.runner.state() == VcpuRunner.State.STOPPED);
            long[] counts = source.runner.vm().instructions();
            source.runner.resume();
            await(() -> source.runner.vm().vcpu(0).get(VcpuRegisters.INSTRUCTIONS) > counts[0]);
            await(source.runner.requestStop());
            verify(spec, scratch, source.runner, List.of());
            assertThat(target.runner.vm().instructions()).containsOnly(0);
            hosts.forEach(host -> host.runner.kill());
        }
    }
}
