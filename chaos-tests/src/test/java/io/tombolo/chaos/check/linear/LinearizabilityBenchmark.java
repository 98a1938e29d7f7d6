package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.SimulatedHistories;
import io.tombolo.chaos.check.SimulatedHistories.Shape;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
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
import org.openjdk.jmh.annotations.Warmup;

/// How long a history of 10,000 operations on 10 registers takes, by the number of processes of each register, the
/// number of values that are written, and the share of unknown operations. The first iteration is what a cold JVM
/// takes.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 20)
@Measurement(iterations = 10)
@Fork(1)
public class LinearizabilityBenchmark {
    @Param({"2", "5", "10", "20", "50", "100"})
    int concurrency;

    @Param({"5", "50", "1000000"})
    int values;

    @Param({"0.1"})
    double unknown;

    private History history;

    @Setup(Level.Trial)
    public void make() {
        history = SimulatedHistories.independent(new Shape(10_000, 10, concurrency, values, unknown, true), 1);
    }

    /// Fails if the history, which is good, is not found to be.
    @Benchmark
    public CheckResult check() {
        CheckResult result = new LinearizabilityChecker(() -> new RegisterModel(null, true), true).check(history,
                CheckContext.defaults());
        if (result.verdict() != Verdict.VALID) {
            throw new IllegalStateException(result.toString());
        }
        return result;
    }
}
