package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ClockWatchTest {
    private final AtomicLong boot = new AtomicLong(10_000);
    private final AtomicLong mono = new AtomicLong(4_000);

    @Test
    void reportsASuspendOnce() {
        ClockWatch watch = new ClockWatch(boot::get, mono::get, 100);
        assertThat(watch.jumpNs()).isZero();
        boot.addAndGet(100);
        assertThat(watch.jumpNs()).as("within the threshold").isZero();
        boot.addAndGet(1);
        assertThat(watch.jumpNs()).isEqualTo(101);
        assertThat(watch.jumpNs()).isZero();
    }

    @Test
    void losingTheProcessorBetweenTheReadingsIsNotASuspend() {
        AtomicLong readings = new AtomicLong();
        // Every reading takes 50 000 ns: far above the threshold.
        AtomicLong time = new AtomicLong();
        ClockWatch watch = new ClockWatch(() -> {
            readings.incrementAndGet();
            return 6_000 + time.addAndGet(50_000);
        }, () -> time.addAndGet(50_000), 100);

        for (int i = 0; i < 100; i++) {
            assertThat(watch.jumpNs()).isZero();
        }
        assertThat(readings.get()).isEqualTo(101);
    }
}
