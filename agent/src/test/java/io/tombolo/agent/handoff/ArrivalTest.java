package io.tombolo.agent.handoff;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.IncomingGuest;
import io.tombolo.agent.hypervisor.IncomingPort;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.right.RightActions;
import io.tombolo.agent.right.RightKeeper;
import io.tombolo.agent.right.RightLoop;
import io.tombolo.agent.right.Timings;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.FromWord;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.VmSlot;
import io.tombolo.region.VmSlots;
import io.tombolo.region.WatchdogBound;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the exploration of hand-offs found about a VM that arrives while its preparation is given up, or while the
/// right lapses.
final class ArrivalTest {
    private static final UUID VM = new UUID(7, 8);
    private static final long LIVE = SlotWord.pack(HostState.LIVE, 1);

    @TempDir
    Path directory;

    private final CheckBoard board = new CheckBoard(() -> 1, () -> LIVE, LIVE, 1);
    private final List<Integer> owned = new ArrayList<>();
    private Region region;
    private VmSlot slot;
    private int source;
    private int target;
    private long epoch;

    @BeforeEach
    void start() {
        UUID cluster = new UUID(1, 2);
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(cluster, 8 << 20));
        region = Region.open(file, OpenOptions.ofCluster(cluster));
        source = claim("ant", 3);
        target = claim("bee", 4);
        slot = VmSlots.claim(region, source);
        long creating = slot.ownerAcquire();
        epoch = OwnerWord.epoch(creating);
        assertThat(slot.compareAndSetOwner(creating, OwnerWord.pack(OwnerState.RUNNING, source, epoch))).isTrue();
        slot.gate().close();
    }

    @AfterEach
    void stop() {
        region.close();
    }

    private int claim(String name, long uuid) {
        return HostSlots.claim(region, new HostIdentity(new UUID(3, uuid), name, new UUID(5, 6), 1,
                WatchdogBound.UNKNOWN)).slot();
    }

    @Test
    void aThreadThatWasCalledOffTakesNothing() {
        IncomingVm incoming = incoming();
        assertThat(incoming.callOff()).isTrue();
        offer();
        assertThat(incoming.offered()).isFalse();
        incoming.lookAgain();
        assertThat(incoming.offered()).isTrue();
        assertThat(incoming.offered()).as("a thread that spins looks twice").isTrue();
    }

    @Test
    void aPreparationIsNotGivenUpWhileItsThreadActsOnAnOffer() {
        IncomingVm incoming = incoming();
        offer();
        assertThat(incoming.offered()).isTrue();
        assertThat(incoming.callOff()).isFalse();
        incoming.take();
        assertThat(incoming.run()).isTrue();
        // From here on the owner word says it, and the core gives no VM up that is its own.
        assertThat(incoming.callOff()).isTrue();
        assertThat(OwnerWord.is(slot.ownerAcquire(), OwnerState.RUNNING)).isTrue();
    }

    @Test
    void aThreadThatLostItsCasMayBeCalledOffAgain() {
        IncomingVm incoming = incoming();
        offer();
        assertThat(incoming.offered()).isTrue();
        long offered = slot.ownerAcquire();
        slot.fromRelease(FromWord.pack(source, epoch + 1));
        assertThat(slot.compareAndSetOwner(offered, OwnerWord.pack(OwnerState.RUNNING, source, epoch + 2))).isTrue();
        assertThat(incoming.run()).isFalse();
        assertThat(incoming.callOff()).isTrue();
    }

    /// Found by chaos kv seed 101: a target that was held at the offer kept its preparation, and refused every other
    /// one, for as long as preparations last.
    @Test
    void aCancellationThatComesWhileTheThreadActsIsObeyedWhenItHasLostItsCas() {
        List<IncomingPort> waiting = new ArrayList<>();
        HandoffTarget arriving = new HandoffTarget(new Stand(target), slot, VM,
                new HostPorts.HandoffBounds(new SourceCore.Bounds(1, 1, 1), 1_000, 1, 1, 1), Runnable::run, port -> {
                    waiting.add(port);
                    return new Waiting();
                }, new RunRight(slot, board), (_, _, _) -> {
                    throw new AssertionError("it did not arrive");
                });
        assertThat(arriving.prepare(5, epoch, source, false)).isCompleted();
        offer();
        assertThat(waiting.getFirst().offered()).isTrue();
        long offered = slot.ownerAcquire();
        slot.fromRelease(FromWord.pack(source, epoch + 1));
        assertThat(slot.compareAndSetOwner(offered, OwnerWord.pack(OwnerState.RUNNING, source, epoch + 2))).isTrue();
        arriving.cancel(5);
        assertThat(arriving.state().phase()).as("its thread may take the VM").isEqualTo(TargetCore.Phase.ARMED);
        waiting.getFirst().take();
        assertThat(waiting.getFirst().run()).isFalse();
        arriving.poll();
        assertThat(arriving.state().phase()).isEqualTo(TargetCore.Phase.IDLE);
    }

    private static final class Waiting implements IncomingGuest {
        @Override
        public void openWindow(long spinNs) {
        }

        @Override
        public Guest guest() {
            throw new AssertionError("it did not arrive");
        }

        @Override
        public void discard() {
        }
    }

    @Test
    void aVmThatIsTakenWhileTheRightLapsesRunsOnlyAtANewEpoch() {
        RunRight runs = new RunRight(slot, board);
        IncomingVm incoming = incoming();
        offer();
        assertThat(incoming.offered()).isTrue();
        assertThat(incoming.run()).isTrue();
        runs.set(slot.ownerAcquire(), owned.getFirst());
        assertThat(runs.holds()).isTrue();
        lapse();
        assertThat(runs.isOurs()).isTrue();
        assertThat(runs.holds()).as("whatever the gate says now").isFalse();
        assertThat(runs.renew()).isTrue();
        assertThat(runs.holds()).isTrue();
        assertThat(slot.ownerAcquire()).isEqualTo(OwnerWord.pack(OwnerState.RUNNING, target, epoch + 2));
    }

    @Test
    void aWordThatIsSomebodyElsesIsNotRenewed() {
        RunRight runs = new RunRight(slot, board);
        runs.set(OwnerWord.pack(OwnerState.RUNNING, target, epoch), board.closings());
        assertThat(runs.renew()).isFalse();
        assertThat(runs.holds()).isFalse();
    }

    /// The keeper's end closes the gate as a lapse does.
    private void lapse() {
        RightActions none = (RightActions) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[]{RightActions.class}, (_, _, _) -> null);
        Timings timings = Timings.standard();
        new RightLoop(new RightKeeper(timings, LIVE, false), board, none, () -> 1, () -> 1, () -> LIVE, timings)
                .close();
    }

    private void offer() {
        assertThat(new SlotOffer(slot, VM, new Stand(source), epoch, target).offer(8, 1)).isTrue();
    }

    private IncomingVm incoming() {
        return new IncomingVm(slot, VM, new Stand(target), epoch, null, new IncomingVm.Listener() {
            @Override
            public void owns(long word, int closings) {
                owned.add(closings);
            }

            @Override
            public void spinning() {
            }

            @Override
            public void running(long word, long seenNs, long runningNs, long firstInstructionNs) {
            }

            @Override
            public void windowPassed() {
            }

            @Override
            public void refused(String reason) {
                throw new AssertionError(reason);
            }
        });
    }

    private final class Stand implements HostPorts {
        private final int self;

        Stand(int self) {
            this.self = self;
        }

        @Override
        public int self() {
            return self;
        }

        @Override
        public boolean rightHolds() {
            return true;
        }

        @Override
        public CheckBoard board() {
            return board;
        }

        @Override
        public void at(HandoffPoint point) {
        }

        @Override
        public long nowNs() {
            return 0;
        }

        @Override
        public CompletableFuture<WindowEnd> openWindow(Peer peer, long intentSeq, int vmSlot, long asked,
                long windowNs) {
            throw new UnsupportedOperationException("nobody is asked here");
        }
    }
}
