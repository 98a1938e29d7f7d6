package io.tombolo.chaos.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A test method beside which a chaos run goes on: a cluster of its own, clients and faults. It fails if the run's
/// verdict is INVALID, and if it is UNKNOWN; the message names the result folder, below `target/chaos`.
///
/// The method may have parameters, of these types:
///
/// | type | what it gets |
/// |---|---|
/// | [io.tombolo.chaos.cluster.ClusterUnderTest] | the cluster, while clients and faults are at work; the run goes on
/// until its time is up, and is judged after the method |
/// | [io.tombolo.chaos.run.ChaosResult] | the result, when the run is over |
///
/// ```java
/// @ChaosTest(workload = "bank", nemesis = {"kill", "partition"}, time = "20s", seed = 42)
/// void moneyIsNeverMade(ChaosResult result) {
///     assertThat(result.migrations()).isPositive();
/// }
/// ```
@Test
@ExtendWith(ChaosExtension.class)
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface ChaosTest {
    /// As `--workload` of `tombolo chaos`.
    String workload() default "kv";

    /// As `--nemesis`; `all`, and `none`, too.
    String[] nemesis() default "all";

    /// As `--time`.
    String time() default "10s";

    /// As `--seed`; negative for a new one, which is printed.
    long seed() default -1;

    /// As `--hosts`.
    int hosts() default 3;

    /// As `--network`.
    String network() default "proxy";

    /// As `--unprotected`.
    boolean unprotected() default false;
}
