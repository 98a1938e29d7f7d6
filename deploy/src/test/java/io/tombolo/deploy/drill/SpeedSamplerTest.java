package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.deploy.report.DrillReport.OpsPerSecond;
import io.tombolo.deploy.report.DrillReport.Speed;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

final class SpeedSamplerTest {
    private final FakeCluster cluster = new FakeCluster();

    SpeedSamplerTest() {
        var _ = cluster.create(FakeGuest.vm("dirty"), "h1");
    }

    @Test
    void speedIsInstructionsOverTheTimeBetweenTwoLooks() {
        // Every look is 1000 instructions after the one before it, and takes two readings of a clock of 20 ms.
        AtomicLong clock = new AtomicLong();
        try (SpeedSampler sampler = SpeedSampler.start(cluster, "drill", () -> clock.addAndGet(20_000_000), false)) {
            for (int hop = 0; hop < 3; hop++) {
                sampler.restAfter(sampler.restBefore(1), 1);
            }
            OpsPerSecond ops = sampler.opsPerSecond();
            assertThat(List.of(ops.before(), ops.during(), ops.after())).containsOnly(25_000L);
            assertThat(sampler.speed(0)).extracting(Speed::opsPerSecond).containsOnly(25_000L);
        }
    }

    @Test
    void looksByItselfAllTheTime() {
        try (SpeedSampler sampler = SpeedSampler.start(cluster, "drill", System::nanoTime, false)) {
            Awaitility.await().until(() -> sampler.speed(0).size() >= 3);
        }
    }

    @Test
    void findsTheGuestOnItsNewHostAndAddsUpTheWaitsOfAllStays() {
        cluster.spoilLook = l -> new GuestLook(l.instructions(), Optional.of(new GuestLook.Waits(5, 700, 900)));
        try (SpeedSampler sampler = SpeedSampler.start(cluster, "drill", System::nanoTime, false)) {
            for (String target : List.of("h2", "h3")) {
                SpeedSampler.Sample before = sampler.mark();
                var _ = cluster.migrate("drill", target, MigrateMode.TRANSIT);
                assertThat(sampler.mark().instructions()).isGreaterThan(before.instructions());
            }
            assertThat(sampler.waits().orElseThrow().count()).isEqualTo(15);
            assertThat(sampler.waits().orElseThrow().p99Ns()).isEqualTo(700);
            assertThat(sampler.waits().orElseThrow().maxNs()).isEqualTo(900);
        }
    }

    @Test
    void theThreadEndsWhenItIsClosed() {
        SpeedSampler.start(cluster, "drill", System::nanoTime, false).close();

        assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName).doesNotContain("drill-speed");
    }
}
