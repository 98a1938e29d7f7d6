package io.tombolo.agent.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

final class SimWarmupTest {
    @Test
    void switchesEveryProgramAndLeavesNoThread() throws TimeoutException {
        assertThat(SimWarmup.run(600_000_000)).isGreaterThan(3);
        assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().startsWith("vm-warmup"));
    }
}
