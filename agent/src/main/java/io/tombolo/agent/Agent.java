package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.AgentConfig.LocalTierConfig;
import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.agent.hypervisor.QemuHypervisor;
import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.pages.HugePages;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.agent.right.PetMode;
import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.Timings;
import io.tombolo.agent.right.WatchdogPetter;
import io.tombolo.agent.right.WatchdogSettings;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.TomboloException;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.NotifySocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One host of a cluster: claims a slot of the region, keeps the right to run VMs, runs them, hands them over.
///
/// Life: [#start] takes everything or gives everything back; [#awaitEnd] returns when the right keeper ends the
/// incarnation; [#close] stops guests and says STOPPED. A process is one incarnation; it never takes a second slot.
public final class Agent implements AutoCloseable {
    /// Exit status of a process that halted itself because a storing thread did not stop.
    public static final int EXIT_HALTED = 70;

    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final int DRIFT_PPM = 1_000;
    /// A slow machine is not kept waiting for compiled code longer than this.
    private static final long REHEARSAL_MS = 3_000;
    private static final long QUIET_MS = 200;

    private final AgentConfig config;
    private final Timings timings;
    private final ClusterMembership.Factory membership;
    private final Consumer<HandoffPoint> points;
    private final RunObserver runs;
    /// All copying of guest memory in this process goes through it, so that "zero" is a reading and not a claim.
    private final GuestCopier copier = new GuestCopier();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final List<AutoCloseable> opened = new ArrayList<>();

    private Region region;
    private ClaimedSlot slot;
    private LocalTier local;
    private HostCore host;
    private HostedVms vms;
    private PeerLink peers;
    private ClusterMembership cluster;
    private volatile LapseReason endReason;
    private volatile boolean closing;
    private boolean started;

    private Agent(AgentConfig config, ClusterMembership.Factory membership, Consumer<HandoffPoint> points,
            RunObserver runs) {
        this.membership = requireNonNull(membership, "membership is null");
        this.config = requireNonNull(config, "config is null");
        this.points = requireNonNull(points, "points is null");
        this.runs = requireNonNull(runs, "runs is null");
        this.timings = config.timing().timings();
    }

    /// Starts an agent. When it returns the host is a member of its cluster and READY has been said to the supervisor.
    ///
    /// @param membership how to join the cluster
    /// @param points told of named moments of hand-offs; a production agent passes one that does nothing
    /// @param runs told of every stretch in which a vCPU executes; a production agent passes [RunObserver#NONE]
    public static Agent start(AgentConfig config, ClusterMembership.Factory membership,
            Consumer<HandoffPoint> points, RunObserver runs) {
        Agent agent = new Agent(config, membership, points, runs);
        boolean ok = false;
        try {
            agent.open();
            agent.started = true;
            ok = true;
            return agent;
        } finally {
            if (!ok) {
                agent.close();
            }
        }
    }

    private void open() {
        Optional<WatchdogSettings> watchdog = WatchdogSettings.fromEnvironment(System.getenv(),
                ProcessHandle.current().pid());
        Path runDirectory = runDirectory();
        region = Region.open(Path.of(config.regionFile()), OpenOptions.ofCluster(config.clusterUuid()));
        opened.add(region);
        // Before the slot is claimed: a region that is not the cluster's, and a ZooKeeper that is away, leave no trace.
        cluster = membership.open(config, timings, region.superblock().regionUuid(),
                event -> host.right().post(event));
        opened.add(cluster);
        int gone = HostSlots.confirmRebooted(region, config.hostUuid(), Linux.bootId());
        LOG.info("host {}: {} incarnations from before the machine was started", config.name(), gone);
        slot = HostSlots.claim(region, new HostIdentity(config.hostUuid(), config.name(), Linux.bootId(),
                ProcessHandle.current().pid(), bound(watchdog)));
        ClaimedSlot claimed = slot;
        opened.add(() -> giveBack(claimed));
        int freed = HostSlots.freeStopped(region, config.hostUuid(), slot.slot());
        LOG.info("host {}: {} slots of earlier incarnations freed", config.name(), freed);
        LOG.info("host {}: slot {} incarnation {} of region {}", config.name(), slot.slot(), slot.incarnation(),
                region.superblock().regionUuid());
        // All that takes long comes before the right keeper: from its first moment it counts how long the supervisor is
        // silent.
        local = openLocalTier(runDirectory);
        if (local != null) {
            opened.add(local);
        }
        List<Hypervisor> drivers = drivers();
        peers = new PeerLink(config, slot.incarnation(), timings.requestTimeoutMs());
        opened.add(peers);
        if (config.rehearsalHops() > 0 && config.drivers().contains(SimulatedHypervisor.NAME)) {
            // After the libraries are loaded: a class that comes later can make compiled code invalid again.
            Rehearsal.run(runDirectory, config.rehearsalHops(), REHEARSAL_MS);
            LOG.info("rehearsed {} takeovers",
                    Rehearsal.takeovers(runDirectory, config.rehearsalHops(), REHEARSAL_MS / 2));
        }
        boolean quiet = Compilers.awaitQuiet(QUIET_MS, REHEARSAL_MS);
        LOG.debug("compilers {}", quiet ? "quiet" : "still busy");
        boolean supervised = watchdog.flatMap(WatchdogSettings::watchdogNs).isPresent();
        host = new HostCore(region, slot, timings, supervised, config.maxStoringThreads(),
                new HostActions(config.name(), region, slot, () -> vms, () -> host.right(), this::exit), points,
                peers::openWindow, Optional.of(new Pages()), runs);
        opened.add(host);
        vms = new HostedVms(region, host, drivers, this::bounds, copier::bytesCopied, cluster::hosting);
        opened.add(vms::closeDrivers);
        PageRequests pages = new PageRequests(
                Optional.of(new HostPages(region, vms, host.board(), local, copier)));
        opened.add(pages);
        peers.serve(new AgentService(vms, peers.terms(), new View(), pages,
                new HostFailures(region, vms, host, peers.terms())));
        watchdog.ifPresent(this::pet);
        host.right().start();
        cluster.join(slot, config.rpc().advertised(), peers.port());
        // Slot and incarnation go with it: whoever reaps this process can then say which incarnation is certainly
        // stopped.
        watchdog.ifPresent(settings -> notify(settings, "READY=1\nX_TOMBOLO_SLOT=" + slot.slot()
                + "\nX_TOMBOLO_INCARNATION=" + slot.incarnation()));
    }

    /// Null for a host without a local tier.
    private LocalTier openLocalTier(Path runDirectory) {
        LocalTierConfig settings = config.localTier();
        if (settings.bytes() == 0) {
            return null;
        }
        Path directory = settings.directory().isEmpty() ? runDirectory : Path.of(settings.directory());
        return LocalTier.open(directory.resolve("tombolo-" + config.name() + ".local"), settings.bytes(),
                HugePages.valueOf(settings.hugePages().toUpperCase(Locale.ROOT)));
    }

    private Path runDirectory() {
        try {
            return Files.createDirectories(Path.of(config.runDirectory()));
        } catch (IOException e) {
            throw TomboloException.error(AgentError.RUN_DIRECTORY_UNUSABLE, "the run directory cannot be made")
                    .fact("directory", config.runDirectory()).fact("cause", e)
                    .next("set runDirectory to a directory that this user may write").cause(e).build();
        }
    }

    /// What this host promises about its watchdog. A supervisor on the same machine stops when the machine stops, so
    /// elapsed time alone is never evidence for it.
    private WatchdogBound bound(Optional<WatchdogSettings> watchdog) {
        return watchdog.filter(settings -> settings.watchdogNs().isPresent()).map(settings -> new WatchdogBound(
                settings.mode() == PetMode.TIMESTAMPED ? 1 : 2, settings.watchdogNs().orElseThrow(),
                settings.mode() == PetMode.TIMESTAMPED ? timings.checkPeriodNs() : timings.plainCheckAgeLimitNs(),
                TimeUnit.MILLISECONDS.toNanos(timings.scanMs()),
                TimeUnit.MILLISECONDS.toNanos(timings.killToReapedMs()),
                DRIFT_PPM, false)).orElse(WatchdogBound.UNKNOWN);
    }

    private List<Hypervisor> drivers() {
        List<Hypervisor> drivers = new ArrayList<>();
        for (String name : config.drivers()) {
            drivers.add(switch (name) {
                case SimulatedHypervisor.NAME -> new SimulatedHypervisor(region, slot.slot(),
                        Path.of(config.runDirectory()), local);
                case QemuHypervisor.NAME -> QemuHypervisor.open(region, slot.slot(), config.qemu().binary(),
                        config.qemu().accelerator(), config.qemu().imageDirectory(), Path.of(config.runDirectory()));
                default -> throw new IllegalStateException("the configuration let an unknown driver pass: " + name);
            });
        }
        return drivers;
    }

    /// A QEMU guest stops and loads in milliseconds, a simulated one in microseconds; what is waited for differs
    /// likewise.
    private HandoffBounds bounds(String driver) {
        long base = TimeUnit.MILLISECONDS.toNanos(timings.baseMs());
        boolean qemu = !driver.equals(SimulatedHypervisor.NAME);
        // A spinning thread takes a core from everybody else on the host. The source offers as soon as it sees it spin;
        // the window is as long as the source waits for that on a busy machine, and some more.
        long window = qemu ? 4 * base : 2 * SimulatedHypervisor.SPINNER_WAIT_NS;
        long takeBack = qemu ? 8 * base : base;
        return new HandoffBounds(new SourceCore.Bounds(2 * base, 8 * base, takeBack), 60 * base, window,
                TimeUnit.MICROSECONDS.toNanos(qemu ? 1_000 : 50), base);
    }

    private void pet(WatchdogSettings settings) {
        if (settings.watchdogNs().isEmpty()) {
            return;
        }
        NotifySocket socket = NotifySocket.sender(settings.socket());
        opened.add(socket);
        WatchdogPetter petter = new WatchdogPetter(host.board(), host.right()::fresh, Linux::clockBoottimeNs, settings,
                timings,
                socket::send, new WatchdogPetter.Listener() {
                    @Override
                    public void supervisorSeen() {
                        host.right().post(new RightEvent.SupervisorSeen());
                    }

                    @Override
                    public void supervisorLost() {
                        host.right().post(new RightEvent.SupervisorLost());
                    }
                });
        opened.add(petter);
        petter.start();
    }

    private static void notify(WatchdogSettings settings, String message) {
        try (NotifySocket socket = NotifySocket.sender(settings.socket())) {
            if (!socket.send(message)) {
                LOG.warn("the supervisor did not take {}", message);
            }
        }
    }

    /// Waits until this incarnation ends by itself.
    ///
    /// @return why it ended
    public LapseReason awaitEnd() throws InterruptedException {
        ended.await();
        return endReason;
    }

    /// After a start that failed: no guest ran and nothing stores any more, so the slot is free again and the next try
    /// finds none of this one.
    private void giveBack(ClaimedSlot claimed) {
        if (!started) {
            HostSlots.markStopped(region, claimed.slot(), claimed.incarnation());
            HostSlots.confirmStopped(region, claimed.slot(), claimed.incarnation());
            HostSlots.free(region, claimed.slot(), claimed.incarnation());
        }
    }

    /// Kills the guests, says STOPPED in the slot word and leaves the cluster. Idempotent.
    @Override
    public void close() {
        closing = true;
        if (vms != null) {
            vms.all().forEach(vm -> await(vm.abandon(), "abandon " + vm.spec().name()));
        }
        if (slot != null && host != null && host.board().allStopped()) {
            HostSlots.markStopped(region, slot.slot(), slot.incarnation());
        }
        for (AutoCloseable part : opened.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("closing {}: {}", part, e.toString());
            }
        }
        opened.clear();
        slot = null;
        vms = null;
    }

    private void await(CompletableFuture<?> future, String what) {
        try {
            future.get(timings.killToReapedMs() * 4, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("{}: {}", what, e.toString());
        }
    }

    private void exit(LapseReason reason, boolean allStopped) {
        if (closing) {
            LOG.info("host {}: this incarnation ends, as it was asked to: {}", config.name(), reason);
        } else {
            LOG.error("host {}: this incarnation ends: {}", config.name(), reason);
        }
        if (!allStopped) {
            // Some thread may still store to the region; only the end of the process stops it for certain.
            Runtime.getRuntime().halt(EXIT_HALTED);
        }
        endReason = reason;
        ended.countDown();
    }

    /// How this host's pages are copied to other hosts, and theirs to this one.
    private final class Pages implements PageLink {
        @Override
        public GuestCopier copier() {
            return copier;
        }

        @Override
        public LocalTier local() {
            return local;
        }

        @Override
        public CompletableFuture<?> send(Peer target, AgentRequest request) {
            return peers.send(target, request);
        }
    }

    private final class View implements AgentService.HostView {
        @Override
        public String name() {
            return config.name();
        }

        @Override
        public long incarnation() {
            return slot.incarnation();
        }

        @Override
        public Reply.HostReply describe() {
            long word = host.word();
            return new Reply.HostReply(new HostStatus(config.name(), slot.slot(), slot.incarnation(),
                    String.valueOf(SlotWord.state(word)), config.rpc().advertised(), peers.port(),
                    region.allocator(slot.slot()).freeFrames(), region.superblock().frameCount(),
                    vms.hosted().stream().map(vm -> vm.spec().name()).toList()));
        }

        @Override
        public String hostName(int hostSlot) {
            return cluster.hostName(hostSlot);
        }
    }
}
