package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;

/// Runs an operation on host 0 of a small region until it dies before each of its steps, and asks what is left. Host 1
/// recovers; host 2 is there for the death of host 1.
final class CrashHarness {
    static final long SEED = Long.getLong("tombolo.seed", 20260102L);
    private static final long GARBAGE = 0x5A5A_5A5A_5A5A_5A5AL;

    enum Model {
        P, H
    }

    /// One operation: how to get to its start, the operation itself, and what must hold after recovery.
    record Operation(String name, Consumer<Region> setup, Consumer<Region> run, Consumer<Region> check) {
        @Override
        public String toString() {
            return name;
        }
    }

    private final long frames;

    CrashHarness(long frames) {
        this.frames = frames;
    }

    /// A region with three live hosts and frames full of what earlier users left.
    CrashMemory start(Operation operation) {
        Superblock superblock = Superblock.plan(TestRegions.options(frames * 4096), new UUID(1, 1), 1);
        CrashMemory memory = new CrashMemory(superblock.fileBytes());
        RegionFormatter.write(memory, superblock);
        memory.segment(superblock.dataOffset(), superblock.frameCount() * 4096).fill((byte) GARBAGE);
        Region region = region(memory);
        for (String name : List.of("dies", "recovers", "spare")) {
            HostSlots.claim(region, TestRegions.host(name));
        }
        operation.setup.accept(region);
        memory.watch(superblock.dataOffset(), superblock.frameCount() * 4096);
        return memory;
    }

    /// Dies before every step; what failed, at most three.
    List<String> failures(Operation operation, Model model, String ignoredPersist) {
        List<String> failures = new ArrayList<>();
        CrashMemory memory = start(operation);
        long states = 0;
        long steps = 0;
        for (boolean died = true; died && failures.size() < 3; steps++) {
            memory.push();
            memory.ignorePersistFrom(ignoredPersist);
            died = diesAfter(memory, steps, () -> operation.run.accept(region(memory)));
            memory.ignorePersistFrom("");
            for (CrashMemory.Outcome outcome : outcomes(memory, model)) {
                states++;
                memory.push();
                memory.restart(outcome);
                try {
                    operation.check.accept(region(memory));
                } catch (AssertionError | RuntimeException e) {
                    failures.add("died before step " + steps + ", lines lost " + outcome + ": " + e);
                }
                memory.pop();
                if (!failures.isEmpty() && !ignoredPersist.isEmpty()) {
                    break;
                }
            }
            memory.pop();
        }
        if (ignoredPersist.isEmpty()) {
            System.out.println(operation + ", model " + model + ": " + steps + " crash points, " + states + " states");
            assertThat(steps).isGreaterThan(1);
        }
        return failures;
    }

    /// Takes each persist, write-back and fence of the operations out in turn: for each place, whether that was
    /// noticed.
    Map<String, Boolean> noticedMissing(List<Operation> operations) {
        Map<String, Boolean> noticed = new TreeMap<>();
        for (Operation operation : operations) {
            CrashMemory memory = start(operation);
            diesAfter(memory, Long.MAX_VALUE, () -> operation.run.accept(region(memory)));
            for (String site : List.copyOf(memory.persistSites())) {
                if (!noticed.getOrDefault(site, false)) {
                    noticed.put(site, !failures(operation, Model.H, site).isEmpty());
                }
            }
        }
        return noticed;
    }

    /// Sites by name and position in their method, which stay when lines move.
    static List<String> inOrder(Map<String, Boolean> noticed, boolean which) {
        List<String> names = new ArrayList<>();
        Map<String, Integer> positions = new HashMap<>();
        for (Map.Entry<String, Boolean> site : noticed.entrySet()) {
            String name = site.getKey().replaceAll(":\\d*", "");
            int position = positions.merge(name, 1, Integer::sum);
            if (site.getValue() == which && !name.startsWith("Crash") && !name.startsWith("PageMove")) {
                names.add(name + " " + position);
            }
        }
        return names;
    }

    static boolean diesAfter(CrashMemory memory, long steps, Runnable operation) {
        memory.arm(steps);
        try {
            operation.run();
            return false;
        } catch (CrashMemory.Crash _) {
            return true;
        }
    }

    static List<CrashMemory.Outcome> outcomes(CrashMemory memory, Model model) {
        memory.noticeStores();
        return model == Model.P ? CrashMemory.processDeath() : memory.hostDeath(64, 32, new Random(SEED));
    }

    static Region region(CrashMemory memory) {
        return Region.over(memory, Path.of("model"));
    }

    static void createVm(Region region, int host, long pages) {
        VmSlot vm = VmSlots.claim(region, host);
        VmMemory.populate(region, region.allocator(host), vm, TestRegions.vm("vm " + pages, pages));
        run(vm, host);
    }

    static void run(VmSlot vm, int host) {
        long owner = vm.ownerAcquire();
        assertThat(vm.compareAndSetOwner(owner, OwnerWord.pack(OwnerState.RUNNING, host, OwnerWord.epoch(owner))))
                .isTrue();
    }

    static void swap(Region region, OwnerState state, int host, int epochStep) {
        VmSlot vm = region.vm(0);
        long owner = vm.ownerAcquire();
        assertThat(vm.compareAndSetOwner(owner, OwnerWord.pack(state, host, OwnerWord.epoch(owner) + epochStep)))
                .isTrue();
    }

    static Recovery.Report recover(Region region, int dead, int executor) {
        HostSlots.fence(region, dead, 1);
        HostSlots.confirmStopped(region, dead, 1);
        return Recovery.recover(region, dead, 1, executor);
    }

    static void recoverAndVerify(Region region) {
        recoverAndVerify(region, 0, 1);
    }

    /// Nothing of the dead host is left but its VMs.
    static void recoverAndVerify(Region region, int dead, int executor) {
        recover(region, dead, executor);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        for (long frame = 0; frame < region.superblock().frameCount(); frame++) {
            long word = region.memory().load(region.frameWordOffset(frame));
            assertThat(FrameWord.state(word) == FrameState.RESERVED && FrameWord.slot(word) == dead).isFalse();
        }
        for (long block = 0; block < region.superblock().blockCount(); block++) {
            long word = region.memory().load(region.blockOffset(block));
            assertThat((BlockWord.isOwned(word) || BlockWord.isLargeReserved(word)) && BlockWord.slot(word) == dead)
                    .isFalse();
        }
    }
}
