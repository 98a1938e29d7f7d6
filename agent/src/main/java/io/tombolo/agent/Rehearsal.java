package io.tombolo.agent;

import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.SourceReport;
import io.tombolo.agent.handoff.StraightLine;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.takeover.TakeoverCore;
import io.tombolo.agent.takeover.TakeoverRehearsal;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands a small VM to and fro inside this process, over a scratch region of its own, until the code of a hand-off is
/// compiled. A hand-off executes its path once; without this, the first hundreds of a fresh JVM run in the interpreter
/// and take a hundred times as long. Nothing of the rehearsal touches the cluster's region.
final class Rehearsal {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
    private static final long MEMORY_BYTES = 1L << 20;
    private static final long MS = 1_000_000L;
    private static final int STRAIGHT_LINES = 10_000;
    private static final int OVERTURE_HOPS = 10;
    private static final int COMMITS = 4_000;
    private static final int COMMIT_US = 100;

    private Rehearsal() {
    }

    /// Rehearses for at most `budgetMs` or `hops` hand-offs, whichever is first.
    ///
    /// @return hand-offs made
    static int run(Path directory, int hops, long budgetMs) {
        Path file = directory.resolve("rehearsal-" + ProcessHandle.current().pid() + ".region");
        UUID cluster = UUID.randomUUID();
        try {
            Region.format(file, FormatOptions.of(cluster, 8 * MEMORY_BYTES).withHostSlots(2).withVmSlots(2)
                    .withMetadataSlotBytes(1 << 13));
            try (Region region = Region.open(file, OpenOptions.ofCluster(cluster));
                    Stage one = new Stage(region, "one", directory);
                    Stage two = new Stage(region, "two", directory)) {
                one.other = two;
                two.other = one;
                // First a whole life of a VM: what it does only at its ends must not come as news to code compiled in
                // between.
                long untilNs = System.nanoTime() + budgetMs * MS;
                play(one, two, Math.min(hops, OVERTURE_HOPS), untilNs);
                compileStraightLine(one, two, System.nanoTime() + budgetMs * MS / 3);
                commit(one, System.nanoTime() + budgetMs * MS / 6);
                return play(one, two, hops, untilNs);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw TomboloException.error(AgentError.REHEARSAL_FAILED, "the scratch region could not be removed")
                    .fact("file", file).next("check the run directory").cause(e).build();
        }
    }

    /// The same for the takeover of a protected VM: first what is stored to the region, which is most of it, then all.
    ///
    /// @return takeovers made
    static int takeovers(Path directory, int count, long budgetMs) {
        Path file = directory.resolve("takeovers-" + ProcessHandle.current().pid() + ".region");
        try {
            int stored = TakeoverRehearsal.run(directory, Linux.bootId(), count, budgetMs * 2 / 3);
            UUID cluster = UUID.randomUUID();
            Region.format(file, FormatOptions.of(cluster, 8 * MEMORY_BYTES).withHostSlots(2).withVmSlots(1)
                    .withMetadataSlotBytes(1 << 13));
            try (Region region = Region.open(file, OpenOptions.ofCluster(cluster))) {
                LOG.debug("rehearsed {} takeovers in the region", stored);
                return stored + takeOver(region, directory, count, System.nanoTime() + budgetMs * MS / 3);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw TomboloException.error(AgentError.REHEARSAL_FAILED, "the scratch region could not be removed")
                    .fact("directory", directory).next("check the run directory").cause(e).build();
        }
    }

    /// A host dies, and the next one goes on with its VM, which was protected.
    private static int takeOver(Region region, Path directory, int count, long untilNs) {
        VmSpec spec = spec();
        Stage stage = new Stage(region, "host-0", directory);
        try {
            await(stage.hosted(spec).create());
            await(stage.vm.protect(COMMIT_US));
            int done = 0;
            while (done < count && System.nanoTime() - untilNs < 0) {
                done++;
                awaitCommits(stage, 2, untilNs);
                stage.close();
                HostSlots.fence(region, stage.slot.slot(), stage.slot.incarnation());
                HostSlots.confirmStopped(region, stage.slot.slot(), stage.slot.incarnation());
                ClaimedSlot dead = stage.slot;
                stage = new Stage(region, "host-" + done, directory);
                CompletableFuture<Boolean> runs = new CompletableFuture<>();
                await(stage.hosted(spec).takeOver(region, OwnerWord.epoch(region.vm(0).ownerAcquire()), state -> {
                    if (state.isOver()) {
                        runs.complete(state.phase() == TakeoverCore.Phase.RUNNING);
                    }
                }));
                if (!await(runs)) {
                    throw failed(new IllegalStateException(OwnerWord.describe(region.vm(0).ownerAcquire())));
                }
                HostSlots.free(region, dead.slot(), dead.incarnation());
            }
            return done;
        } finally {
            stage.close();
        }
    }

    private static VmSpec spec() {
        return new VmSpec("rehearsal", UUID.randomUUID(), SimulatedHypervisor.NAME, MEMORY_BYTES, 1, "dirty",
                MEMORY_BYTES, "uniform", 1);
    }

    private static int play(Stage one, Stage two, int hops, long untilNs) {
        VmSpec spec = spec();
        Stage from = one;
        Stage to = two;
        await(from.hosted(spec).create());
        int hop = 0;
        while (hop < hops && System.nanoTime() - untilNs < 0) {
            hop++;
            long epoch = OwnerWord.epoch(from.vm.owner());
            to.hosted(spec);
            await(to.vm.prepare(hop, epoch, from.host.self(), hop, false));
            SourceReport report = await(from.vm.switchOver(hop, epoch,
                    new HostPorts.Peer(to.host.self(), "rehearsal", "", 0), hop));
            if (report.outcome() == SourceCore.Outcome.HANDED_OVER) {
                Stage stays = from;
                from = to;
                to = stays;
            } else {
                // On a busy machine the other thread may miss its window; the VM is where it was.
                await(to.vm.cancel(hop));
            }
        }
        await(from.vm.destroy());
        LOG.info("rehearsed {} hand-offs", hop);
        return hop;
    }

    /// The straight-line part alone, often enough for the optimising compiler: it is nearly free without threads to
    /// wake.
    private static void compileStraightLine(Stage one, Stage two, long untilNs) {
        VmSpec spec = spec();
        // A slot of its own: the other one belongs to the VM that is handed about.
        VmSlot slot = one.region.vm(1);
        slot.compareAndSetOwner(slot.ownerAcquire(), OwnerWord.pack(OwnerState.CREATING, one.host.self(), 1));
        slot.compareAndSetOwner(slot.ownerAcquire(), OwnerWord.pack(OwnerState.RUNNING, one.host.self(), 1));
        GuestSpec guest = SimulatedHypervisor.guestSpec(spec);
        SimulatedState state = SimulatedState.fresh(guest);
        SimulatedStateCodec codec = new SimulatedStateCodec(guest);
        StraightLine line = new StraightLine(slot, spec.uuid(), one.host, two.host);
        int done = 0;
        while (done < STRAIGHT_LINES && System.nanoTime() - untilNs < 0) {
            line.run(STRAIGHT_LINES / 20, SimulatedStateCodec.SCHEMA, into -> codec.encode(state, into),
                    blob -> codec.decode(blob.bytes(), blob.length(), state));
            done += STRAIGHT_LINES / 20;
        }
        LOG.debug("rehearsed {} straight lines", done);
    }

    /// A protected VM whose commits follow one another, so that the first pauses of a guest are not those of code that
    /// is not compiled yet.
    private static void commit(Stage stage, long untilNs) {
        await(stage.hosted(spec()).create());
        await(stage.vm.protect(COMMIT_US));
        awaitCommits(stage, COMMITS, untilNs);
        LOG.debug("rehearsed {} commits", stage.vm.facts().protection().commits());
        await(stage.vm.destroy());
    }

    private static void awaitCommits(Stage stage, int commits, long untilNs) {
        while (stage.vm.facts().protection().commits() < commits && System.nanoTime() - untilNs < 0) {
            LockSupport.parkNanos(MS / 10);
        }
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(e);
        } catch (ExecutionException | TimeoutException e) {
            throw failed(e);
        }
    }

    private static TomboloException failed(Exception e) {
        return TomboloException.error(AgentError.REHEARSAL_FAILED, "the rehearsal of a hand-off failed")
                .fact("cause", e).next("see the agent's log; a host that cannot rehearse cannot hand over").cause(e)
                .build();
    }

    /// One of the hosts on the scratch region.
    private static final class Stage implements AutoCloseable {
        private final Region region;
        private final ClaimedSlot slot;
        private final HostCore host;
        private final SimulatedHypervisor driver;
        private Stage other;
        private volatile HostedVm vm;

        Stage(Region region, String name, Path directory) {
            this.region = region;
            this.slot = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, Linux.bootId(),
                    ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
            this.host = LastingRight.host(region, slot, HostCore.NO_POINTS,
                    (_, intentSeq, _, epoch, _) -> other.vm.openWindow(intentSeq, epoch));
            this.driver = new SimulatedHypervisor(region, slot.slot(), directory);
        }

        HostedVm hosted(VmSpec spec) {
            if (vm == null) {
                vm = new HostedVm(host, driver, region.vm(0), spec,
                        new HandoffBounds(new SourceCore.Bounds(20 * MS, 1_000 * MS, 500 * MS), 10_000 * MS, 10 * MS,
                                20_000, 100 * MS),
                        _ -> {
                        }, _ -> vm = null);
            }
            return vm;
        }

        @Override
        public void close() {
            HostedVm left = vm;
            if (left != null) {
                await(left.abandon());
            }
            host.close();
            driver.close();
        }
    }
}
