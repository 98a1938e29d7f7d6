package io.tombolo.agent.pages;

import io.tombolo.agent.sim.AccessPattern;
import io.tombolo.agent.sim.GuestProgram;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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

/// What protection at 5 ms costs a guest: its throughput with and without in turn, and the pause of a commit, from a
/// vCPU's last instruction to its next. The counters are the result, the time is that of the whole measurement. One
/// iteration, because JMH adds such counters up over iterations.
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(1)
public class ProtectionBenchmark {
    private static final int CHECKPOINT_US = 5000;

    /// Guest memory.
    @Param({"64", "1024"})
    int mib;

    @Param({"1", "2"})
    int vcpus;

    /// What each vCPU writes: one page, or all of them in this order.
    @Param({"one", "zipf", "uniform"})
    String pages;

    private ProtectedGuest guest;

    /// The result.
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Result {
        public double ratio;
        public double mipsWithout;
        public double mipsWith;
        public double commitsPerS;
        public double dirtyPages;
        public double pauseP50Us;
        public double pauseP99Us;
        public double pauseMaxUs;

        @Setup(Level.Iteration)
        public void clear() {
            ratio = 0;
            mipsWithout = 0;
            mipsWith = 0;
            commitsPerS = 0;
            dirtyPages = 0;
            pauseP50Us = 0;
            pauseP99Us = 0;
            pauseMaxUs = 0;
        }
    }

    @Setup(Level.Trial)
    public void start() {
        ProtectedGuest.warmUp(GuestProgram.DIRTY, vcpus);
        boolean one = pages.equals("one");
        guest = new ProtectedGuest(GuestProgram.DIRTY, (long) mib << 20, one ? vcpus * 4096L : 0, vcpus,
                one ? AccessPattern.UNIFORM : AccessPattern.of(pages), CHECKPOINT_US);
    }

    @TearDown(Level.Trial)
    public void stop() {
        guest.close();
    }

    @Benchmark
    public void measure(Result result) {
        ProtectedGuest.Measured measured = guest.measure(10, 300);
        result.ratio = measured.ratio();
        result.mipsWithout = measured.withoutPerS() / 1e6;
        result.mipsWith = measured.withPerS() / 1e6;
        result.commitsPerS = measured.commitsPerS();
        result.dirtyPages = measured.dirtyPages();
        result.pauseP50Us = measured.pauseP50Us();
        result.pauseP99Us = measured.pauseP99Us();
        result.pauseMaxUs = measured.pauseMaxUs();
    }
}
