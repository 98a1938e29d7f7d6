package io.tombolo.region;

import static io.tombolo.region.CrashHarness.diesAfter;
import static io.tombolo.region.CrashHarness.outcomes;
import static io.tombolo.region.CrashHarness.recover;
import static io.tombolo.region.CrashHarness.recoverAndVerify;
import static io.tombolo.region.CrashHarness.region;
import static io.tombolo.region.CrashHarness.swap;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.CrashHarness.Model;
import io.tombolo.region.CrashHarness.Operation;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Dies before every step of every region operation, under both crash models, recovers on another host, and asks verify
/// (I4). Model P: the process dies, memory keeps program order. Model H: the host dies, and what was not persisted may
/// be lost line by line; all combinations where there are at most 64, otherwise all lost, all kept, and single lines
/// lost or kept (at most 32 of them).
///
/// Host 0 is the one that dies; host 1 recovers; host 2 recovers when host 1 dies in the recovery.
class CrashEnumerationTest {
    private static final byte[] STATE = "vcpu registers".repeat(20).getBytes(StandardCharsets.UTF_8);
    private static final int PAGES = 3;
    /// Two blocks, so that page tables (taken from the bottom) and pages (from the top) are on different lines.
    private static final long FRAMES = 1024;
    private static final CrashHarness HARNESS = new CrashHarness(FRAMES);

    static List<Operation> operations() {
        return List.of(
                new Operation("CLAIM_HOST_SLOT", _ -> {
                }, region -> {
                    HostSlots.claim(region, TestRegions.host("late"));
                    assertThat(SlotWord.state(region.host(3).wordAcquire())).isEqualTo(HostState.LIVE);
                }, CrashEnumerationTest::lateHostIsWholeOrGone),

                new Operation("CLAIM_HOST_SLOT_IN_A_RACE_WITH_A_TWIN", CrashEnumerationTest::freeSlotOfSpare,
                        CrashEnumerationTest::claimBesideATwin, region -> {
                            lateHostIsGone(region, 3);
                            assertThat(RegionVerifier.verify(region).findings()).isEmpty();
                        }),

                new Operation("FREE_HOST_SLOT", region -> {
                    HostSlots.fence(region, 2, 1);
                    HostSlots.confirmStopped(region, 2, 1);
                }, region -> {
                    HostSlots.free(region, 2, 1);
                    assertThat(SlotWord.state(region.host(2).wordAcquire())).isEqualTo(HostState.FREE);
                }, CrashHarness::recoverAndVerify),

                new Operation("CREATE_VM", _ -> {
                }, CrashEnumerationTest::createVm, CrashEnumerationTest::vmIsWholeOrGone),

                // Another VM before it, so that its table and its pages have their frame words on different lines.
                new Operation("CREATE_SECOND_VM", region -> CrashHarness.createVm(region, 2, 14),
                        CrashEnumerationTest::createVm,
                        CrashHarness::recoverAndVerify),

                new Operation("CREATE_VM_THAT_DOES_NOT_FIT", region -> {
                    // Enough frames are free, but most of them in a block of host 2, so that populate fails half-way.
                    CrashHarness.createVm(region, 2, 20);
                    CrashHarness.createVm(region, 2, 989);
                    VmSlots.destroy(region, region.vm(0), region.vm(0).ownerAcquire());
                    assertThat(TestRegions.reserve(region.allocator(2), PageSize.SMALL, 1, 0))
                            .isGreaterThanOrEqualTo(512);
                }, region -> {
                    VmSlot vm = VmSlots.claim(region, 0);
                    try {
                        VmMemory.populate(region, region.allocator(0), vm, TestRegions.vm("vm", 25));
                        throw new AssertionError("it must not fit");
                    } catch (TomboloException e) {
                        assertThat(e.code()).isEqualTo(RegionError.REGION_FULL);
                    }
                    VmSlots.destroy(region, vm, vm.ownerAcquire());
                }, CrashHarness::recoverAndVerify),

                new Operation("DESTROY_VM", CrashEnumerationTest::createVm, CrashEnumerationTest::destroyVm,
                        CrashEnumerationTest::vmIsWholeOrGone),

                new Operation("DESTROY_VM_WITH_EVERY_WORD_IN_USE", region -> {
                    createVm(region);
                    VmSlot vm = region.vm(0);
                    vm.armedRelease(ArmedWord.pack(1, 1, 1));
                    vm.spinRelease(ArmedWord.pack(1, 1, 1));
                    vm.echoRelease(1);
                    vm.beatRelease(1);
                    vm.fromRelease(FromWord.pack(0, 1));
                    vm.pins().pin(0, 1);
                }, CrashEnumerationTest::destroyVm, CrashEnumerationTest::vmIsWholeOrGone),

                new Operation("DESTROY_SECOND_VM", region -> {
                    CrashHarness.createVm(region, 2, 14);
                    createVm(region);
                }, region -> VmSlots.destroy(region, region.vm(1), region.vm(1).ownerAcquire()),
                        CrashHarness::recoverAndVerify),

                new Operation("RESERVE_AND_GIVE_BACK", CrashEnumerationTest::createVm, region -> {
                    FrameAllocator allocator = region.allocator(0);
                    long frame = TestRegions.reserve(allocator, PageSize.SMALL, 0, 1);
                    allocator.release(PageSize.SMALL, 0, new long[]{1}, new long[]{frame}, 1);
                    allocator.trim();
                    assertThat(allocator.freeFrames()).isEqualTo(FRAMES - 1 - PAGES);
                    assertThat(region.memory().load(region.blockOffset(frame / BlockWord.FRAMES)))
                            .isEqualTo(BlockWord.FREE);
                }, CrashEnumerationTest::vmIsWholeOrGone),

                new Operation("REPLACE_A_PAGES_FRAME", CrashEnumerationTest::createVm,
                        CrashEnumerationTest::replaceFrame,
                        CrashEnumerationTest::vmIsWholeOrGone),

                // The process ends and its slot is somebody else's before the machine, and its caches, go down.
                new Operation("GIVE_BACK_STOP_AND_FREE", CrashEnumerationTest::createVmOfSpare, region -> {
                    FrameAllocator allocator = region.allocator(0);
                    long frame = TestRegions.reserve(allocator, PageSize.SMALL, 0, 1);
                    allocator.release(PageSize.SMALL, 0, new long[]{1}, new long[]{frame}, 1);
                    allocator.trim();
                    HostSlots.fence(region, 0, 1);
                    HostSlots.markStopped(region, 0, 1);
                    HostSlots.freeStopped(region, TestRegions.host("dies").hostUuid(), 1);
                }, CrashEnumerationTest::nothingOfHost0IsLeft),

                // Whoever recovers dies after the slot is free: nobody repeats the recovery.
                new Operation("RECOVER_AND_FREE", region -> {
                    createVmOfSpare(region);
                    TestRegions.reserve(region.allocator(0), PageSize.SMALL, 0, 1);
                }, region -> {
                    recover(region, 0, 1);
                    HostSlots.free(region, 0, 1);
                }, CrashEnumerationTest::nothingOfHost0IsLeft),

                new Operation("OFFER_VM", CrashEnumerationTest::createVm, CrashEnumerationTest::offerVm,
                        CrashEnumerationTest::offerIsWhole),

                // Of a host that has died: whoever recovers it takes its right to take the VM back away.
                new Operation("WITHDRAW_TAKE_BACK", region -> {
                    createVm(region);
                    offerVm(region);
                    HostSlots.fence(region, 0, 1);
                    HostSlots.confirmStopped(region, 0, 1);
                }, region -> {
                    Recovery.recover(region, 0, 1, 1);
                    assertThat(FromWord.allows(region.vm(0).fromAcquire(), 0, region.vm(0).ownerAcquire())).isFalse();
                }, CrashHarness::recoverAndVerify),

                new Operation("TAKE_BACK_VM", region -> {
                    createVm(region);
                    offerVm(region);
                }, region -> swap(region, OwnerState.RUNNING, 0, 1), CrashEnumerationTest::offerIsWhole),

                new Operation("RENEW_PAUSE_RESUME", CrashEnumerationTest::createVm, region -> {
                    swap(region, OwnerState.RUNNING, 0, 1);
                    swap(region, OwnerState.PAUSED, 0, 1);
                    swap(region, OwnerState.RUNNING, 0, 1);
                }, CrashEnumerationTest::vmIsWholeOrGone),

                new Operation("CLAIM_AND_GIVE_BACK_VM", region -> {
                    createVm(region);
                    offerVm(region);
                    swap(region, OwnerState.OFFERED, 0, 1);
                }, region -> {
                    swap(region, OwnerState.CLAIMED, 0, 0);
                    swap(region, OwnerState.OFFERED, 1, 1);
                }, CrashEnumerationTest::offerIsWhole),

                new Operation("CLAIM_AND_RUN_VM", region -> {
                    createVm(region);
                    offerVm(region);
                    swap(region, OwnerState.OFFERED, 0, 1);
                }, region -> {
                    swap(region, OwnerState.CLAIMED, 0, 0);
                    swap(region, OwnerState.RUNNING, 0, 0);
                }, CrashEnumerationTest::offerIsWhole));
    }

    /// Host 1 recovers what host 0 left of an operation that it died in, at every eighth step.
    static List<Operation> recoveries() {
        List<Operation> recoveries = new ArrayList<>();
        for (String name : List.of("CREATE_VM", "CREATE_SECOND_VM", "DESTROY_VM")) {
            Operation operation = operation(name);
            long steps = steps(operation);
            for (long step = 1; step < steps; step += 8) {
                long at = step;
                recoveries.add(new Operation("RECOVER_" + name + "_" + at, region -> {
                    operation.setup().accept(region);
                    CrashMemory memory = (CrashMemory) region.memory();
                    diesAfter(memory, at, () -> operation.run().accept(region(memory)));
                    memory.arm(Long.MAX_VALUE);
                }, CrashHarness::recoverAndVerify, region -> {
                    recover(region, 1, 2);
                    recover(region, 0, 2);
                    operation.check().accept(region);
                }));
            }
        }
        return recoveries;
    }

    private static long steps(Operation operation) {
        CrashMemory memory = HARNESS.start(operation);
        for (long steps = 0;; steps++) {
            memory.push();
            boolean died = diesAfter(memory, steps, () -> operation.run().accept(region(memory)));
            memory.pop();
            if (!died) {
                return steps;
            }
        }
    }

    private static Operation operation(String name) {
        return operations().stream().filter(operation -> operation.name().equals(name)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void survivesADeathOfTheProcessBeforeAnyStep(Operation operation) {
        assertThat(HARNESS.failures(operation, Model.P)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void survivesADeathOfTheHostBeforeAnyStep(Operation operation) {
        assertThat(HARNESS.failures(operation, Model.H)).isEmpty();
    }

    @Test
    void neverOpensARegionWhoseFormatDied() {
        assertThat(formatFailures(null, "")).isEmpty();
    }

    /// What is wrong with a format that dies, or has been done before the host dies.
    static List<String> formatFailures(CrashSites.Mistake mistake, String place) {
        Superblock superblock = Superblock.plan(TestRegions.options(FRAMES * 4096), new UUID(1, 1), 1);
        List<String> failures = new ArrayList<>();
        CrashMemory memory = new CrashMemory(superblock.fileBytes());
        for (Model model : Model.values()) {
            boolean died = true;
            for (long steps = 0; died; steps++) {
                memory.push();
                memory.mistake(mistake, place);
                died = diesAfter(memory, steps, () -> RegionFormatter.write(memory, superblock));
                memory.mistake(null, "");
                for (CrashMemory.Outcome outcome : outcomes(memory, model)) {
                    memory.push();
                    memory.restart(outcome);
                    try {
                        if (!opensClean(memory) && !died) {
                            failures.add("the format was done, and the region does not open, model " + model);
                        }
                    } catch (AssertionError | TomboloException e) {
                        failures.add("died before step " + steps + ", model " + model + ": " + e);
                    }
                    memory.pop();
                }
                memory.pop();
            }
        }
        return failures;
    }

    private static boolean opensClean(CrashMemory memory) {
        try {
            assertThat(RegionVerifier.verify(Region.over(memory, Path.of("model"))).findings()).isEmpty();
            return true;
        } catch (TomboloException e) {
            assertThat(e.code()).isIn(RegionError.REGION_NOT_A_REGION, RegionError.REGION_NOT_READY,
                    RegionError.REGION_VERSION_UNKNOWN);
            return false;
        }
    }

    @ParameterizedTest
    @EnumSource(Model.class)
    void survivesADeathOfTheRecovererBeforeAnyStep(Model model) {
        assertThat(recovererFailures(model)).isEmpty();
    }

    /// Host 0 dies in creating or destroying a VM, host 1 dies in recovering it, host 2 recovers both.
    private static List<String> recovererFailures(Model model) {
        List<String> failures = new ArrayList<>();
        long states = 0;
        for (Operation operation : List.of(operation("CREATE_VM"), operation("CREATE_SECOND_VM"),
                operation("DESTROY_VM"))) {
            CrashMemory memory = HARNESS.start(operation);
            boolean died = true;
            for (long steps = 0; died && failures.size() < 3; steps++) {
                memory.push();
                died = diesAfter(memory, steps, () -> operation.run().accept(region(memory)));
                states += died ? recovererDies(memory, operation, model, failures) : 0;
                memory.pop();
            }
        }
        System.out.println("recoverer dies, model " + model + ": " + states + " states");
        assertThat(states).isGreaterThan(1000);
        return failures;
    }

    private static long recovererDies(CrashMemory memory, Operation operation, Model model, List<String> failures) {
        long states = 0;
        memory.restart(CrashMemory.Outcome.AS_STORED);
        boolean died = true;
        for (long steps = 0; died; steps++) {
            memory.push();
            died = diesAfter(memory, steps, () -> recover(region(memory), 0, 1));
            for (CrashMemory.Outcome outcome : outcomes(memory, model)) {
                states++;
                memory.push();
                memory.restart(outcome);
                try {
                    Region region = region(memory);
                    recover(region, 1, 2);
                    recover(region, 0, 2);
                    operation.check().accept(region);
                } catch (AssertionError | RuntimeException e) {
                    failures.add("recoverer died before step " + steps + ": " + e);
                }
                memory.pop();
            }
            memory.pop();
        }
        return states;
    }

    private static void destroyVm(Region region) {
        VmSlot vm = region.vm(0);
        assertThat(VmSlots.destroy(region, vm, vm.ownerAcquire())).isTrue();
        assertThat(OwnerWord.state(vm.ownerAcquire())).isEqualTo(OwnerState.FREE);
        for (long at = 8; at < RegionLayout.VM_SLOT.bytes(); at += 8) {
            assertThat(region.memory().load(vm.base() + at)).as("word at %d", at).isZero();
        }
    }

    private static void freeSlotOfSpare(Region region) {
        recover(region, 2, 1);
        HostSlots.free(region, 2, 1);
    }

    /// The twin has the slot that is looked at first, and the other one sees that when it has the next.
    private static void claimBesideATwin(Region region) {
        CrashMemory memory = (CrashMemory) region.memory();
        memory.race(region.host(2).base(), () -> HostSlots.claim(region, TestRegions.host("late")));
        try {
            HostSlots.claim(region, TestRegions.host("late"));
            throw new AssertionError("both have a slot");
        } catch (TomboloException e) {
            assertThat(e.code()).isEqualTo(RegionError.REGION_HOST_LIVE);
        } finally {
            memory.race(-1, null);
        }
        assertThat(SlotWord.state(region.host(3).wordAcquire())).isEqualTo(HostState.FREE);
    }

    private static void lateHostIsGone(Region region, int slot) {
        long word = region.host(slot).wordAcquire();
        if (SlotWord.state(word) != HostState.FREE) {
            recover(region, slot, 1);
            HostSlots.free(region, slot, 1);
        }
    }

    private static void createVmOfSpare(Region region) {
        CrashHarness.createVm(region, 2, PAGES);
    }

    /// Recovers host 0 only if its slot is not free yet.
    private static void nothingOfHost0IsLeft(Region region) {
        if (SlotWord.state(region.host(0).wordAcquire()) != HostState.FREE) {
            recoverAndVerify(region);
        }
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
    }

    private static void createVm(Region region) {
        CrashHarness.createVm(region, 0, PAGES);
    }

    static void offerVm(Region region) {
        VmSlot vm = region.vm(0);
        long owner = vm.ownerAcquire();
        MetadataSlot slot = vm.metadata(0);
        slot.writePayload(MemorySegment.ofArray(STATE), STATE.length);
        slot.publish(OwnerWord.epoch(owner), 0, STATE.length, 1, vm.readIdentity().uuid());
        vm.fromRelease(FromWord.pack(0, OwnerWord.epoch(owner) + 1));
        swap(region, OwnerState.OFFERED, 1, 1);
    }

    /// The skeleton of a page move inside the shared tier, as the region's protocol orders it.
    private static void replaceFrame(Region region) {
        FrameAllocator allocator = region.allocator(0);
        PageTable table = region.vm(0).pageTable();
        long fresh = TestRegions.reserve(allocator, PageSize.SMALL, 0, 1);
        long[] pages = {1};
        long entry = table.entryAcquire(1);
        long old = PageTableEntry.frame(entry);
        assertThat(allocator.retire(PageSize.SMALL, 0, pages, new long[]{old}, 1, new boolean[1])).isEqualTo(1);
        long migrating = PageTableEntry.pack(PteState.MIGRATING, Tier.SHARED, old, PageTableEntry.nextTag(entry), 0);
        table.compareAndSet(1, entry, migrating);
        region.memory().copy(region.frameDataOffset(old), region.frameDataOffset(fresh), 4096);
        region.memory().persist(region.frameDataOffset(fresh), 4096);
        table.compareAndSet(1, migrating,
                PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, fresh, PageTableEntry.nextTag(migrating), 0));
        table.persist(1, 1);
        allocator.settle(PageSize.SMALL, 0, pages, new long[]{fresh}, 1);
        allocator.release(PageSize.SMALL, 0, pages, new long[]{old}, 1);
        assertThat(region.memory().load(region.frameWordOffset(fresh))).isEqualTo(FrameWord.used(0, 1));
    }

    private static void vmIsWholeOrGone(Region region) {
        recoverAndVerify(region);
        checkVm(region, 0);
    }

    private static void checkVm(Region region, int slot) {
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        VmSlot vm = region.vm(slot);
        OwnerState state = OwnerWord.state(vm.ownerAcquire());
        long free = 0;
        for (long frame = 0; frame < region.superblock().frameCount(); frame++) {
            free += region.memory().load(region.frameWordOffset(frame)) == FrameWord.FREE ? 1 : 0;
        }
        if (state == OwnerState.FREE) {
            assertThat(free).isEqualTo(FRAMES);
            return;
        }
        assertThat(state).isIn(OwnerState.RUNNING, OwnerState.PAUSED, OwnerState.OFFERED, OwnerState.CLAIMED);
        assertThat(free).isEqualTo(FRAMES - 1 - PAGES);
        PageTable table = vm.pageTable();
        for (int page = 0; page < PAGES; page++) {
            long at = region.frameDataOffset(PageTableEntry.frame(table.entryAcquire(page)));
            for (int i = 0; i < 4096; i += 8) {
                assertThat(region.memory().load(at + i)).as("page %d offset %d", page, i).isZero();
            }
        }
    }

    /// Once the VM is offered, its state can be read whatever happened to the host that offered it.
    private static void offerIsWhole(Region region) {
        vmIsWholeOrGone(region);
        VmSlot vm = region.vm(0);
        long owner = vm.ownerAcquire();
        if (OwnerWord.is(owner, OwnerState.OFFERED) || OwnerWord.is(owner, OwnerState.CLAIMED)) {
            byte[] into = new byte[4096];
            Blob blob = vm.metadata(0).readChecked(1, vm.readIdentity().uuid(), MemorySegment.ofArray(into));
            assertThat(blob.bytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)).isEqualTo(STATE);
        }
    }

    private static void lateHostIsWholeOrGone(Region region) {
        HostSlot late = region.host(3);
        long word = late.wordAcquire();
        if (SlotWord.state(word) == HostState.LIVE) {
            assertThat(late.readIdentity()).isEqualTo(TestRegions.host("late"));
        }
        if (word != 0) {
            recover(region, 3, 1);
            HostSlots.free(region, 3, 1);
        }
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        ClaimedSlot again = HostSlots.claim(region, TestRegions.host("late"));
        assertThat(again.slot()).isEqualTo(3);
        assertThat(again.incarnation()).isEqualTo(word == 0 ? 1 : 2);
    }
}
