package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.HaltAction;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest.VmMigrate;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.MetadataSlot;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Region;
import io.tombolo.region.RegionLayout;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// `damage`: bits of the region are flipped, and whoever reads them next has to refuse them by name. What is damaged is
/// nobody's but this nemesis': the superblock, put right again at once, or a guest of its own, which is given up.
///
/// | kind | what is flipped | who has to say so |
/// |---|---|---|
/// | `superblock` | a bit that its checksum covers | whoever opens the region |
/// | `blob` | a byte of a VM's state while it is handed over | the target, and the VM goes on at its source |
/// | `frame` | a bit of a guest's memory | the guest's own check |
///
/// Every other structure is flipped bit by bit in the region's own tests, where nothing runs on it.
public final class DamageNemesis implements Nemesis {
    /// How the outcome begins of damage that nobody refused.
    public static final String NOT_REFUSED = "NOT REFUSED: ";

    private static final String REFUSED = "refused: ";
    private static final String NOT_REACHED = "not reached: ";
    private static final String VICTIM = "victim-";
    private static final long VICTIM_BYTES = 1L << 20;
    private static final long CALL_MS = 4_000;
    private static final long WAIT_NS = 4_000_000_000L;
    private static final long LOOK_NS = 10_000_000;
    private static final int FRAME_TRIES = 3;
    /// Of a page that a guest checks: eight words this far apart.
    private static final long WORD_STRIDE_BYTES = 57L * Long.BYTES;
    /// Magic, version, features and UUIDs, all under the checksum.
    private static final int SUPERBLOCK_BYTES = 64;

    private final Targets targets;
    private final ClusterUnderTest cluster;
    private long victims;
    private boolean effect;

    public DamageNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.cluster = targets.cluster();
    }

    @Override
    public String name() {
        return "damage";
    }

    @Override
    public double lasting() {
        return 0;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("kind", List.of("superblock", "blob", "frame").get(random.nextInt(3)));
        chosen.put("pick", (long) random.nextInt(1 << 16));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        long pick = (Long) chosen.get("pick");
        String kind = (String) chosen.get("kind");
        effect = false;
        try {
            String outcome = switch (kind) {
                case "superblock" -> superblock(pick);
                case "blob" -> withVictim(pick, this::blob);
                default -> withVictim(pick, this::frame);
            };
            effect = !outcome.startsWith(NOT_REACHED);
            return kind + " " + outcome;
        } catch (TomboloException e) {
            return kind + " " + NOT_REACHED + e.code().name();
        }
    }

    /// Whether what [#begin] returned says that damage was not refused.
    public static boolean undetected(Object outcome) {
        return outcome instanceof String text && text.contains(NOT_REFUSED);
    }

    private String superblock(long pick) {
        long offset = pick % SUPERBLOCK_BYTES;
        int bit = 1 << pick / SUPERBLOCK_BYTES % 8;
        flip(offset, bit);
        try (Region opened = Region.open(cluster.region().file(), OpenOptions.ofCluster(cluster.processes().uuid()))) {
            return NOT_REFUSED + "bit of byte " + offset + " of " + opened.file();
        } catch (TomboloException e) {
            return REFUSED + e.code().name();
        } finally {
            flip(offset, bit);
        }
    }

    private void flip(long offset, int bit) {
        try (RandomAccessFile file = new RandomAccessFile(cluster.region().file().toFile(), "rw")) {
            file.seek(offset);
            int found = file.read();
            file.seek(offset);
            file.write(found ^ bit);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @FunctionalInterface
    private interface Attack {
        String on(VmStatus victim, String source, String target, long pick);
    }

    private String withVictim(long pick, Attack attack) {
        List<String> living = Targets.shuffled(cluster.hosts().stream().filter(cluster::alive).toList(), pick);
        if (living.size() < 2) {
            return NOT_REACHED + "too few hosts";
        }
        VmSpec spec = new VmSpec(VICTIM + ++victims, UUID.randomUUID(), "simulated", VICTIM_BYTES, 1, "dirty",
                VICTIM_BYTES, "sequential", pick);
        VmStatus victim = cluster.create(spec, living.get(0), CALL_MS);
        try {
            return attack.on(victim, living.get(0), living.get(1), pick);
        } finally {
            giveUp(spec.name());
        }
    }

    private void giveUp(String vm) {
        try {
            cluster.destroy(vm, CALL_MS);
        } catch (TomboloException _) {
            // Its host was killed, or no coordinator leads; it stays until the cluster is closed.
        }
    }

    private String blob(VmStatus victim, String source, String target, long pick) {
        cluster.haltAt(target, HandoffPoint.TARGET_SEEN, HaltAction.HOLD);
        try {
            CompletableFuture<Reply.Migrated> move = CompletableFuture.supplyAsync(
                    () -> cluster.migrate(new VmMigrate(victim.spec().name(), target), 2 * CALL_MS),
                    task -> Thread.ofVirtual().start(task));
            boolean held = until(() -> cluster.halted(target) || move.isDone()) && cluster.halted(target);
            long owner = cluster.region().vm(victim.slot()).ownerAcquire();
            if (!held || OwnerWord.state(owner) != OwnerState.OFFERED) {
                cluster.forgetHalt(target);
                return NOT_REACHED + "no offer was held";
            }
            MetadataSlot slot = cluster.region().vm(victim.slot()).metadata((int) (OwnerWord.epoch(owner) & 1));
            MemorySegment payload = slot.payload();
            long at = 16 + pick % 128;
            payload.set(ValueLayout.JAVA_BYTE, at, (byte) ~payload.get(ValueLayout.JAVA_BYTE, at));
            cluster.forgetHalt(target);
            return ended(victim, target, move);
        } finally {
            cluster.forgetHalt(target);
        }
    }

    private String ended(VmStatus victim, String target, CompletableFuture<Reply.Migrated> move) {
        try {
            Reply.Migrated moved = move.join();
            return NOT_REFUSED + "state of " + victim.spec().name() + " was taken by " + moved.vm().ownerHost();
        } catch (CompletionException e) {
            long owner = cluster.region().vm(victim.slot()).ownerAcquire();
            boolean atTarget = OwnerWord.state(owner) == OwnerState.RUNNING
                    && cluster.owner(victim.slot()).host().equals(target);
            return (atTarget ? NOT_REFUSED : REFUSED)
                    + (e.getCause() instanceof TomboloException known ? known.code().name() : e.getCause());
        }
    }

    private String frame(VmStatus victim, String source, String target, long pick) {
        PageTable table = cluster.region().vm(victim.slot()).pageTable();
        for (int i = 0; i < FRAME_TRIES; i++) {
            long entry = table.entryAcquire((pick + i) % table.pages());
            if (!PageTableEntry.isPresentShared(entry)) {
                return NOT_REACHED + "the page is not in the region";
            }
            long at = PageTableEntry.frame(entry) * RegionLayout.FRAME_BYTES + (1 + pick % 8) * WORD_STRIDE_BYTES;
            MemorySegment data = cluster.region().data();
            data.set(ValueLayout.JAVA_BYTE, at, (byte) (data.get(ValueLayout.JAVA_BYTE, at) ^ 1));
            long before = executed(victim, source);
            // A guest that was just about to write the word has made it good.
            if (until(() -> reason(victim, source).contains("self-check failed"))) {
                return REFUSED + "self-check failed";
            }
            if (!cluster.owner(victim.slot()).living()) {
                return NOT_REACHED + "its host was killed";
            }
            if (before < 0 || executed(victim, source) - before < 2 * table.pages()) {
                return NOT_REACHED + "the guest did not execute";
            }
        }
        return NOT_REFUSED + "a frame of " + victim.spec().name();
    }

    private String reason(VmStatus victim, String host) {
        return asked(victim, host).map(VmStatus::reason).orElse("");
    }

    /// Instructions so far, -1 if nobody says; each visits one page.
    private long executed(VmStatus victim, String host) {
        return asked(victim, host).map(status -> status.instructions().stream().mapToLong(Long::longValue).sum())
                .orElse(-1L);
    }

    private Optional<VmStatus> asked(VmStatus victim, String host) {
        try {
            return Optional.of(cluster.ask(host, new AgentRequest.ShowVm(victim.spec().name()), Reply.VmReply.class,
                    CALL_MS).vm());
        } catch (TomboloException _) {
            return Optional.empty();
        }
    }

    private boolean until(BooleanSupplier holds) {
        long untilNs = System.nanoTime() + WAIT_NS;
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - untilNs > 0) {
                return false;
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
        return true;
    }

    @Override
    public Object end() {
        targets.cluster().hosts().forEach(cluster::forgetHalt);
        return "nothing to heal";
    }

    @Override
    public List<Expected> expected() {
        return List.of(
                new Expected("a guest whose memory was changed", "host-\\d+\\.log", " ERROR \\S+ .*vm " + VICTIM),
                new Expected("a state that was changed", "host-\\d+\\.log", "METADATA_DAMAGED"),
                new Expected("a superblock that was changed", "(host|coordinator)-\\d+\\.log", "SUPERBLOCK|REGION_"));
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}
