package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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
    List<String> failures(Operation operation, Model model) {
        List<String> failures = new ArrayList<>();
        CrashMemory memory = start(operation);
        long states = 0;
        long steps = 0;
        for (boolean died = true; died && failures.size() < 3; steps++) {
            memory.push();
            died = diesAfter(memory, steps, () -> operation.run.accept(region(memory)));
            for (CrashMemory.Outcome outcome : outcomes(memory, model)) {
                states++;
                String failure = failure(memory, operation, outcome);
                if (failure != null) {
                    failures.add("died before step " + steps + ", lines lost " + outcome + ": " + failure);
                }
            }
            memory.pop();
        }
        System.out.println(operation + ", model " + model + ": " + steps + " crash points, " + states + " states");
        assertThat(steps).isGreaterThan(1);
        return failures;
    }

    /// What is wrong with one possible memory after the death; null: nothing.
    private static String failure(CrashMemory memory, Operation operation, CrashMemory.Outcome outcome) {
        memory.push();
        memory.restart(outcome);
        try {
            operation.check.accept(region(memory));
            return null;
        } catch (AssertionError | RuntimeException e) {
            return e.toString();
        } finally {
            memory.pop();
        }
    }

    /// What a mistake at one place led to.
    ///
    /// @param step before which the host died; -1: it had done all of the operation
    /// @param state which of the possible memories after the death it was, counted from 1; 0: the operation failed
    record Finding(String operation, Model model, long step, long state, String what) {
        /// For people: `OFFER_VM, died before step 3, state 2 of H: ...`
        @Override
        public String toString() {
            if (operation.equals("-")) {
                return what;
            }
            String when = step < 0 ? "at its end" : "died before step " + step;
            return operation + (state == 0 ? ", itself" : ", " + when + ", state " + state + " of " + model) + ": "
                    + brief();
        }

        /// What verify found, or the first 80 characters of what was said.
        private String brief() {
            Matcher finding = Pattern.compile("Finding\\[code=(\\w+), structure=([^,]*)").matcher(what);
            if (finding.find()) {
                return "verify: " + finding.group(1) + " " + finding.group(2);
            }
            String text = what.replaceAll("\\s+", " ").replaceFirst("^(\\w+\\.)*\\w+(Error|Exception): ", "");
            return text.length() > 80 ? text.substring(0, 80) + "..." : text;
        }
    }

    /// It was made and came to nothing.
    static final Finding NOTHING = new Finding("-", Model.P, -1, 1, "not noticed");
    /// No operation comes there.
    static final Finding NEVER = new Finding("-", Model.P, -1, 1, "never met");

    /// Makes that mistake at each place of the operations that is in one of these classes, in turn: what came of it.
    Map<String, Finding> planted(List<Operation> operations, CrashSites.Mistake mistake, Class<?>... types) {
        Map<String, Finding> found = new TreeMap<>();
        for (Operation operation : operations) {
            CrashMemory memory = start(operation);
            memory.mistake(mistake, "");
            memory.push();
            diesAfter(memory, Long.MAX_VALUE, () -> operation.run.accept(region(memory)));
            List<String> places = memory.places().stream().filter(place -> isOf(place, types)).toList();
            memory.mistake(null, "");
            memory.pop();
            for (String place : places) {
                if (found.getOrDefault(place, NOTHING).equals(NOTHING)) {
                    found.put(place, plant(operation, mistake, place, memory));
                }
            }
        }
        return found;
    }

    private static Finding plant(Operation operation, CrashSites.Mistake mistake, String place, CrashMemory memory) {
        Model model = mistake == CrashSites.Mistake.NO_PERSIST ? Model.H : Model.P;
        // All of it first: much shows without a death.
        for (long step = -1;; step++) {
            memory.push();
            memory.mistake(mistake, place);
            try {
                boolean died = diesAfter(memory, step < 0 ? Long.MAX_VALUE : step,
                        () -> operation.run.accept(region(memory)));
                memory.mistake(null, "");
                long state = 0;
                for (CrashMemory.Outcome outcome : outcomes(memory, model)) {
                    state++;
                    String failure = failure(memory, operation, outcome);
                    if (failure != null) {
                        return new Finding(operation.name, model, step, state, failure);
                    }
                }
                if (step >= 0 && !died) {
                    return NOTHING;
                }
            } catch (AssertionError | RuntimeException e) {
                return new Finding(operation.name, model, step, 0, e.toString());
            } finally {
                memory.mistake(null, "");
                memory.pop();
            }
        }
    }

    /// Places of these classes with that finding, by name.
    static List<String> with(Finding finding, Map<String, Finding> found, Class<?>... types) {
        return CrashSites.named(found).entrySet().stream().filter(each -> each.getValue().equals(finding))
                .map(Map.Entry::getKey)
                .filter(name -> isOf(name, types)).toList();
    }

    private static boolean isOf(String name, Class<?>... types) {
        return Arrays.stream(types).anyMatch(type -> name.startsWith(type.getSimpleName() + "."));
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

    /// Nothing of the dead host is left but its whole VMs.
    static void recoverAndVerify(Region region, int dead, int executor) {
        recover(region, dead, executor);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        for (int i = 0; i < region.vmSlots(); i++) {
            long owner = region.vm(i).ownerAcquire();
            assertThat(OwnerWord.slot(owner) == dead
                    && (OwnerWord.is(owner, OwnerState.CREATING) || OwnerWord.is(owner, OwnerState.DESTROYING)))
                    .isFalse();
            assertThat(FromWord.allows(region.vm(i).fromAcquire(), dead, owner)).isFalse();
        }
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
