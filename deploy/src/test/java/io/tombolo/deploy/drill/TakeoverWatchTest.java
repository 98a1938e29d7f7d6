package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a drill sees of a takeover, with a real region whose words the test changes between two looks.
final class TakeoverWatchTest {
    @TempDir
    Path directory;

    private final AtomicLong clock = new AtomicLong(1_000);
    private Region region;
    private VmSlot vm;
    private ClaimedSlot first;
    private ClaimedSlot second;

    @BeforeEach
    void aVmThatRunsOnTheFirstOfTwoHosts() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(UUID.randomUUID(), 4L << 20).withMetadataSlotBytes(1 << 13));
        region = Region.open(file, OpenOptions.readWrite());
        first = claim("one");
        second = claim("two");
        vm = region.vm(0);
        own(OwnerState.CREATING, first, 1);
        own(OwnerState.RUNNING, first, 1);
    }

    @AfterEach
    void close() {
        region.close();
    }

    private ClaimedSlot claim(String name) {
        return HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, UUID.randomUUID(), 1,
                WatchdogBound.UNKNOWN));
    }

    private void own(OwnerState state, ClaimedSlot host, long epoch) {
        assertThat(vm.compareAndSetOwner(vm.ownerAcquire(), OwnerWord.pack(state, host.slot(), epoch))).isTrue();
    }

    /// Does one thing after each look, a millisecond of the clock apart, and gives up after the last.
    private boolean watch(TakeoverWatch watch, Runnable... steps) {
        AtomicInteger next = new AtomicInteger();
        return watch.awaitRunning(() -> {
            clock.addAndGet(1_000_000);
            if (next.get() >= steps.length) {
                return next.getAndIncrement() > steps.length;
            }
            steps[next.getAndIncrement()].run();
            return false;
        });
    }

    private void fence() {
        HostSlots.fence(region, first.slot(), first.incarnation());
    }

    private void confirm() {
        HostSlots.confirmStopped(region, first.slot(), first.incarnation());
    }

    @Test
    void seesEveryWordChangeInItsOrder() {
        TakeoverWatch watch = new TakeoverWatch(region, 0, clock::get);

        assertThat(watch(watch, this::fence, () -> own(OwnerState.RECOVERING, second, 2), this::confirm,
                () -> own(OwnerState.RUNNING, second, 2))).isTrue();

        TakeoverWatch.Seen seen = watch.seen();
        assertThat(seen.leftLiveNs()).isLessThan(seen.begunNs());
        assertThat(seen.begunNs()).isLessThan(seen.confirmedNs());
        assertThat(seen.confirmedNs()).isLessThan(seen.runningNs());
        assertThat(seen.ownerSlot()).isEqualTo(second.slot());
        assertThat(seen.epoch()).isEqualTo(2);
        assertThat(seen.ranTooEarly()).isFalse();
    }

    @Test
    void aVmThatRunsBeforeItsOldHostIsConfirmedHasTwoOwners() {
        TakeoverWatch watch = new TakeoverWatch(region, 0, clock::get);

        assertThat(watch(watch, this::fence, () -> own(OwnerState.RECOVERING, second, 2),
                () -> own(OwnerState.RUNNING, second, 2))).isTrue();

        assertThat(watch.seen().ranTooEarly()).isTrue();
    }

    @Test
    void aSlotThatWasGivenToTheNextIncarnationWasConfirmed() {
        TakeoverWatch watch = new TakeoverWatch(region, 0, clock::get);

        assertThat(watch(watch, () -> {
            fence();
            confirm();
            own(OwnerState.RECOVERING, second, 2);
            HostSlots.free(region, first.slot(), first.incarnation());
            assertThat(claim("three").slot()).isEqualTo(first.slot());
        }, () -> own(OwnerState.RUNNING, second, 2))).isTrue();

        assertThat(watch.seen().ranTooEarly()).isFalse();
        assertThat(watch.seen().confirmedNs()).isPositive();
    }

    @Test
    void aVmThatIsLostOrStaysEndsTheWait() {
        assertThat(watch(new TakeoverWatch(region, 0, clock::get))).isFalse();
        TakeoverWatch watch = new TakeoverWatch(region, 0, clock::get);
        assertThat(watch(watch, this::fence, () -> own(OwnerState.RECOVERING, second, 2),
                () -> own(OwnerState.LOST, second, 2))).isFalse();
        assertThat(watch.words()).contains("LOST", "FENCING");
        assertThatThrownBy(() -> new TakeoverWatch(region, 0, clock::get)).hasMessageContaining("does not run");
    }
}
