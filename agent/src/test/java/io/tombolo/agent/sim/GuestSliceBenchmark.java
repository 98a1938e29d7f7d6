package io.tombolo.agent.sim;

import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// How long a slice of each program is, and what encoding and decoding the state of one vCPU costs.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class GuestSliceBenchmark {
    @Param({"dirty", "kv", "bank"})
    String program;

    @Param({"4194304", "268435456"})
    long bytes;

    private ScratchMemory scratch;
    private GuestSpec spec;
    private SimulatedState state;
    private SimulatedStateCodec codec;
    private MemorySegment blob;

    @Setup(Level.Trial)
    public void boot() {
        scratch = new ScratchMemory(bytes, 1);
        spec = new GuestSpec(new UUID(0, 1), bytes, 1, GuestProgram.of(program), 0, AccessPattern.UNIFORM, 1);
        state = SimulatedState.fresh(spec);
        spec.program().boot(state.vcpu(0), scratch.memory(), spec);
        codec = new SimulatedStateCodec(spec);
        blob = MemorySegment.ofArray(new byte[SimulatedStateCodec.length(spec)]);
    }

    @TearDown(Level.Trial)
    public void release() {
        scratch.close();
    }

    @Benchmark
    public void slice() {
        spec.program().run(state.vcpu(0), scratch.memory(), spec.program().sliceInstructions());
    }

    @Benchmark
    public void encodeAndDecode() {
        codec.decode(blob, codec.encode(state, blob), state);
    }
}
