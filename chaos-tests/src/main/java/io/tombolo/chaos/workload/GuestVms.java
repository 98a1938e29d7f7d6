package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.cluster.Owner;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The guest that a workload runs in, one at a time. A protected VM whose owner fails is taken over, and is waited for.
/// One that is not protected, or that is not taken over for very long, is lost: then another one is created under
/// another name, on another host, and what clients do from then on they do to that one. Checks are made for each VM by
/// itself. Thread safe.
public final class GuestVms implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GuestVms.class);
    private static final long LOOK_NS = 50_000_000;
    /// An offer whose target died is taken back by then.
    private static final long SETTLE_NS = 6_000_000_000L;
    private static final long START_NS = 20_000_000_000L;
    private static final long CREATE_MS = 8_000;
    private static final long ANSWER_MS = 1_000;
    private static final long DESTROY_MS = 3_000;
    public static final long MEMORY_BYTES = 4L << 20;
    private static final long WORKING_SET_BYTES = 2L << 20;

    private final ClusterUnderTest cluster;
    private final String program;
    private final Protection protection;
    private final LongSupplier nowNs;
    private final SplittableRandom random;
    private final List<String> lost = new CopyOnWriteArrayList<>();
    private final List<Guest> all = new CopyOnWriteArrayList<>();
    private final List<String> orphans = new ArrayList<>();
    private final Thread keeper;
    private volatile Guest current;
    private volatile boolean closed;
    private long attempts;

    /// How guests are protected.
    ///
    /// @param checkpointUs longest time between two commits; 0: not at all
    /// @param patienceNs   how long a VM may be without a living owner
    public record Protection(int checkpointUs, long patienceNs) {
        /// They are lost with their host.
        public static final Protection NONE = new Protection(0, SETTLE_NS);
    }

    /// One VM, from its creation until it was lost.
    public static final class Guest {
        private final long number;
        private final VmSpec spec;
        private final int slot;
        private final long createdNs;
        private volatile long lostNs;

        Guest(long number, VmSpec spec, int slot, long createdNs) {
            this.number = number;
            this.spec = spec;
            this.slot = slot;
            this.createdNs = createdNs;
        }

        public String name() {
            return spec.name();
        }

        public VmSpec spec() {
            return spec;
        }

        /// Its slot in the region.
        public int slot() {
            return slot;
        }

        /// From 1, in the order of creation.
        public long number() {
            return number;
        }

        public boolean isProtected() {
            return spec.checkpointUs() > 0;
        }

        /// Nanoseconds since the run began.
        public long createdNs() {
            return createdNs;
        }

        /// When its owner was seen to be dead; 0 for one that lives.
        public long lostNs() {
            return lostNs;
        }
    }

    /// @param program guest program
    /// @param nowNs   nanoseconds since the run began
    public GuestVms(ClusterUnderTest cluster, String program, long seed, Protection protection,
            LongSupplier nowNs) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.program = requireNonNull(program, "program is null");
        this.protection = requireNonNull(protection, "protection is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.random = new SplittableRandom(seed);
        this.keeper = Thread.ofPlatform().daemon().name("chaos-vms").unstarted(this::keep);
    }

    /// Creates the first one.
    ///
    /// @throws TomboloException why that failed, again and again
    public void start() {
        long untilNs = System.nanoTime() + START_NS;
        while (current == null) {
            try {
                create(cluster.hosts().getFirst());
            } catch (TomboloException e) {
                // On a busy machine the leader may change before anything has been done to it.
                if (System.nanoTime() - untilNs > 0) {
                    throw e;
                }
                LOG.info("no guest yet: {}", e.getMessage());
                LockSupport.parkNanos(this, LOOK_NS);
            }
        }
        keeper.start();
    }

    /// The VM that can be used now; empty while there is none.
    public Optional<Guest> current() {
        return Optional.ofNullable(current);
    }

    /// All there have been.
    public List<Guest> all() {
        return List.copyOf(all);
    }

    /// Guests that were given up because nobody executed them any more, and why.
    public List<String> lost() {
        return List.copyOf(lost);
    }

    /// Gives a guest up for another one; it is destroyed.
    public void retire(Guest guest) {
        synchronized (orphans) {
            if (current == guest) {
                guest.lostNs = nowNs.getAsLong();
                orphans.add(guest.name());
                current = null;
            }
        }
    }

    /// Whether its owner answers a request to it; which answer does not matter.
    public boolean answers(Guest guest) {
        try {
            // Client 0 is none whose repeats are recognised, and a read has no effect.
            var _ = cluster.ask(cluster.owner(guest.slot).host(),
                    new AgentRequest.GuestCall(guest.name(), 0, 0, GuestOp.KV_READ.name(), List.of(0L)),
                    GuestReply.class, ANSWER_MS);
            return true;
        } catch (TomboloException _) {
            return false;
        }
    }

    private void keep() {
        long deadSinceNs = 0;
        while (!closed) {
            LockSupport.parkNanos(this, LOOK_NS);
            Guest guest = current;
            if (guest == null) {
                tryCreate();
                continue;
            }
            Owner owner = cluster.owner(guest.slot);
            boolean ended = owner.state() == OwnerState.LOST;
            if (owner.living() && !ended) {
                deadSinceNs = 0;
                continue;
            }
            long now = nowNs.getAsLong();
            // Without a coordinator nobody could take it over.
            boolean possible = !guest.isProtected() || cluster.leader().isPresent();
            deadSinceNs = deadSinceNs == 0 || !possible ? now : deadSinceNs;
            boolean goesOn = guest.isProtected() || owner.state() == OwnerState.OFFERED
                    || owner.state() == OwnerState.CLAIMED;
            if (ended || !goesOn || now - deadSinceNs > protection.patienceNs()) {
                LOG.info("vm {} is lost: {}", guest.name(), owner);
                lost.add(guest.name() + " at " + now + " ns: " + owner);
                synchronized (orphans) {
                    guest.lostNs = now;
                    current = null;
                }
                deadSinceNs = 0;
            }
        }
    }

    private void tryCreate() {
        List<String> living = cluster.hosts().stream().filter(cluster::alive).toList();
        if (living.isEmpty()) {
            return;
        }
        try {
            create(living.get(random.nextInt(living.size())));
        } catch (TomboloException e) {
            LOG.debug("no new vm yet: {}", e.getMessage());
        }
    }

    private void create(String host) {
        long number = ++attempts;
        VmSpec spec = new VmSpec(program + "-" + number, UUID.randomUUID(), "simulated", MEMORY_BYTES, 1, program,
                WORKING_SET_BYTES, "sequential", number).withProtection(protection.checkpointUs());
        try {
            VmStatus status = cluster.create(spec, host, CREATE_MS);
            Guest guest = new Guest(number, spec, status.slot(), nowNs.getAsLong());
            all.add(guest);
            current = guest;
            LOG.info("vm {} runs on {}", spec.name(), host);
        } catch (TomboloException e) {
            // It may come into being later, and would burn a core for nothing.
            synchronized (orphans) {
                orphans.add(spec.name());
            }
            throw e;
        }
        List<String> tried;
        synchronized (orphans) {
            tried = List.copyOf(orphans);
        }
        List<String> gone = tried.stream().filter(this::destroyed).toList();
        synchronized (orphans) {
            orphans.removeAll(gone);
        }
    }

    private boolean destroyed(String vm) {
        try {
            cluster.destroy(vm, DESTROY_MS);
            return true;
        } catch (TomboloException e) {
            return e.code().name().equals("VM_UNKNOWN");
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(keeper);
        try {
            keeper.join(CREATE_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
