package io.tombolo.region;

import static io.tombolo.region.CrashHarness.diesAfter;
import static io.tombolo.region.CrashHarness.region;
import static io.tombolo.region.CrashHarness.swap;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.CrashHarness.Model;
import io.tombolo.region.CrashHarness.Operation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Dies before every step of what a protected VM's owner does, and of what takes the VM over, under both crash models,
/// takes it over on another host, and looks whether its memory is what its committed state says (I3), every frame is
/// accounted for (I4), and nothing was copied to get there.
///
/// The guest is a counter: at version v it has written v into a word of each page that its step v writes, and v into
/// its state. So a state that is committed names the memory that belongs to it.
///
/// Host 0 is the one that dies; host 1 takes over; host 2 when host 1 dies in that.
class ProtectionCrashTest {
    private static final int PAGES = 3;
    private static final long FRAMES = 1024;
    private static final CrashHarness HARNESS = new CrashHarness(FRAMES);
    /// Pages that the guest writes at version v: different ones, and the same one again.
    private static final int[][] WRITES = {{}, {1}, {1, 2}, {2}, {0, 1, 2}, {1}, {0, 2}};

    static List<Operation> operations() {
        return List.of(
                new Operation("PROTECT", region -> boot(region, 0), region -> {
                    PageCheckpoint checkpoint = Protection.start(region, region.allocator(0), region.vm(0), 5_000);
                    commit(region, checkpoint, 0);
                    swap(region, OwnerState.RUNNING, 0, 1);
                }, ProtectionCrashTest::goesOn),

                // Where its log will be is what an earlier log left, whose intervals had the same numbers.
                new Operation("PROTECT_AGAIN", region -> {
                    boot(region, 0);
                    Protection.start(region, region.allocator(0), region.vm(0), 5_000).close();
                    long frame = PageTableEntry.frame(region.vm(0).pageTable().entryAcquire(1));
                    PreimageLog log = new PreimageLog(region, region.vm(0).logPlaceOrNull());
                    log.write(100, 3, frame, frame, 1);
                }, region -> {
                    long place = region.vm(0).logPlaceOrNull().firstFrame();
                    PageCheckpoint checkpoint = Protection.start(region, region.allocator(0), region.vm(0), 5_000);
                    assertThat(region.vm(0).logPlaceOrNull().firstFrame()).isEqualTo(place);
                    commit(region, checkpoint, 0);
                    swap(region, OwnerState.RUNNING, 0, 1);
                    execute(region, checkpoint, 1);
                    commit(region, checkpoint, 1);
                }, ProtectionCrashTest::goesOn),

                new Operation("FIRST_WRITE_WITHOUT_A_FRAME", region -> {
                    protect(region);
                    long[] frames = new long[512];
                    while (region.allocator(2).reserve(PageSize.SMALL, 0, new long[512], 512, frames) > 0) {
                        assertThat(frames[0]).isNotNegative();
                    }
                }, region -> {
                    PageCheckpoint checkpoint = new PageCheckpoint(region, region.allocator(0), region.vm(0),
                            region.vm(0).logPlaceOrNull());
                    checkpoint.arrive(committed(region));
                    long entry = region.vm(0).pageTable().entryAcquire(1);
                    assertThat(checkpoint.firstWrite(1, entry)).isEqualTo(-1);
                    assertThat(PageTableEntry.isPresentShared(region.vm(0).pageTable().entryAcquire(1))).isTrue();
                    assertThat(checkpoint.dirtyPages()).isZero();
                }, region -> {
                    die(region, 2);
                    Recovery.recover(region, 2, 1, 1);
                    goesOn(region);
                }),

                // The next entry is written over the one that names the frame.
                new Operation("FIRST_WRITES_WITH_A_FULL_LOG", region -> {
                    protect(region);
                    PreimageLog log = new PreimageLog(region, region.vm(0).logPlaceOrNull());
                    int spare = (int) log.capacity();
                    long[] frames = new long[spare];
                    assertThat(region.allocator(0).reserve(PageSize.SMALL, 0, new long[spare], spare, frames))
                            .isEqualTo(spare);
                    for (int i = 0; i < spare; i++) {
                        region.memory().store(region.frameWordOffset(frames[i]), FrameWord.preimage(0, 0));
                        log.write(i, 1, frames[i], frames[i], 0);
                    }
                    PageCheckpoint checkpoint = new PageCheckpoint(region, region.allocator(0), region.vm(0),
                            region.vm(0).logPlaceOrNull());
                    checkpoint.begin(region.vm(0).commitAcquire(), 1, spare, spare);
                    commit(region, checkpoint, 0);
                    region.memory().persist(0, region.superblock().fileBytes());
                }, region -> {
                    PageCheckpoint checkpoint = new PageCheckpoint(region, region.allocator(0), region.vm(0),
                            region.vm(0).logPlaceOrNull());
                    checkpoint.arrive(committed(region));
                    store(region, 1, checkpoint.firstWrite(1, region.vm(0).pageTable().entryAcquire(1)), 1);
                    assertThat(checkpoint.preimageFrames()).isEqualTo(128);
                    commit(region, checkpoint, 1);
                    store(region, 2, checkpoint.firstWrite(2, region.vm(0).pageTable().entryAcquire(2)), 2);
                }, ProtectionCrashTest::goesOn),

                // Nobody knows yet whether host 2 and host 0 have stopped.
                new Operation("TAKE_OVER_FROM_A_TAKEOVER", region -> {
                    protect(region, 2);
                    HostSlots.fence(region, 2, 1);
                }, region -> {
                    VmSlot vm = region.vm(0);
                    long first = Takeover.begin(region, vm, 0, vm.ownerAcquire());
                    long second = Takeover.begin(region, vm, 1, first);
                    assertThat(Takeover.inDoubt(region, vm, second)).extracting(Takeover.Doubt::hostSlot)
                            .containsExactlyInAnyOrder(0, 2);
                    HostSlots.fence(region, 0, 1);
                    HostSlots.confirmStopped(region, 0, 1);
                    assertThat(Takeover.inDoubt(region, vm, second)).extracting(Takeover.Doubt::hostSlot)
                            .containsExactly(2);
                    HostSlots.confirmStopped(region, 2, 1);
                    Takeover.Recovered found = Takeover.recover(region, vm, second, buffer(region));
                    commit(region, Takeover.checkpoint(region, region.allocator(1), vm, second, found.state()),
                            version(found.state()));
                    assertThat(Takeover.finish(region, vm, second, OwnerState.RUNNING)).isTrue();
                    assertThat(OwnersInDoubt.describe(vm)).isEmpty();
                }, region -> {
                    die(region, 2);
                    die(region, 0);
                    die(region, 1);
                    HostSlots.claim(region, TestRegions.host("late"));
                    assertThat(takeOver(region, 3)).isZero();
                    destroyed(region, 3, region.vm(0).ownerAcquire());
                }),

                new Operation("DESTROY_AFTER_A_TAKEOVER", region -> {
                    host2Died(region);
                    takeOver(region, 0);
                }, region -> {
                    VmSlot vm = region.vm(0);
                    assertThat(VmSlots.destroy(region, vm, vm.ownerAcquire())).isTrue();
                    region.allocator(0).trim();
                    assertThat(RegionVerifier.verify(region).findings()).isEmpty();
                }, ProtectionCrashTest::goesOn),

                new Operation("FIRST_WRITES_AND_COMMITS", ProtectionCrashTest::protect, region -> {
                    PageCheckpoint checkpoint = owned(region);
                    execute(region, checkpoint, 1);
                    commit(region, checkpoint, 1);
                    execute(region, checkpoint, 2);
                    commit(region, checkpoint, 2);
                    execute(region, checkpoint, 3);
                    execute(region, checkpoint, 4);
                    commit(region, checkpoint, 4);
                    execute(region, checkpoint, 5);
                    commit(region, checkpoint, 5);
                    // Uses one of two spare pre-images of page 1 up; the other one was new when that one was written.
                    execute(region, checkpoint, 6);
                }, ProtectionCrashTest::goesOn),

                new Operation("UNPROTECT", ProtectionCrashTest::protectAndWork, region -> {
                    PageCheckpoint checkpoint = owned(region);
                    commit(region, checkpoint, 2);
                    assertThat(Protection.stop(checkpoint)).isTrue();
                    swap(region, OwnerState.RUNNING, 0, 1);
                }, ProtectionCrashTest::goesOn),

                new Operation("DESTROY_PROTECTED_VM", region -> {
                    protectAndWork(region);
                    execute(region, owned(region), 3);
                }, region -> {
                    VmSlot vm = region.vm(0);
                    assertThat(VmSlots.destroy(region, vm, vm.ownerAcquire())).isTrue();
                    region.allocator(0).trim();
                    for (long at = 8; at < RegionLayout.VM_SLOT.bytes(); at += 8) {
                        assertThat(region.memory().load(vm.base() + at)).as("word at %d", at).isZero();
                    }
                }, ProtectionCrashTest::goesOn),

                new Operation("HAND_OFF_OF_PROTECTED_VM", ProtectionCrashTest::protectAndWork, region -> {
                    PageCheckpoint checkpoint = owned(region);
                    execute(region, checkpoint, 3);
                    offer(region, checkpoint, 3);
                    checkpoint.close();
                }, ProtectionCrashTest::goesOn),

                new Operation("PAUSE_OF_PROTECTED_VM", ProtectionCrashTest::protectAndWork, region -> {
                    PageCheckpoint checkpoint = owned(region);
                    execute(region, checkpoint, 3);
                    commit(region, checkpoint, 3, true);
                    swap(region, OwnerState.PAUSED, 0, 1);
                }, ProtectionCrashTest::goesOn),

                // Host 0 has got the VM from host 2, whose blocks hold the spare pre-images.
                new Operation("FIRST_WRITES_AFTER_ARRIVAL", ProtectionCrashTest::arriveAtHost0, region -> {
                    PageCheckpoint checkpoint = owned(region);
                    execute(region, checkpoint, 4);
                    commit(region, checkpoint, 4);
                    execute(region, checkpoint, 5);
                }, ProtectionCrashTest::goesOn),

                // Host 0 takes over from host 2, and dies in it.
                new Operation("TAKE_OVER", ProtectionCrashTest::host2Died, region -> {
                    takeOver(region, 0);
                    execute(region, owned(region), 4);
                }, ProtectionCrashTest::goesOn),

                // Host 2's last words about spare pre-images were lost with it.
                new Operation("TAKE_OVER_WITH_LOST_LINES", region -> {
                    host2Died(region);
                    Blob state = committed(region);
                    PreimageLog log = new PreimageLog(region, region.vm(0).logPlaceOrNull());
                    for (long at = state.logHead() - state.logSpare(); at < state.logHead(); at++) {
                        PreimageLog.Entry spare = log.read(at);
                        region.memory().compareAndSet(region.frameWordOffset(spare.old()),
                                FrameWord.preimage(0, spare.page()), FrameWord.used(0, spare.page()));
                    }
                    region.memory().persist(region.frameWordOffset(0), FRAMES * 8);
                }, region -> takeOver(region, 0), ProtectionCrashTest::goesOn),

                new Operation("TAKE_OVER_UNPROTECTED", region -> {
                    CrashHarness.createVm(region, 2, PAGES);
                    die(region, 2);
                }, region -> takeOver(region, 0), ProtectionCrashTest::goesOn),

                new Operation("TAKE_OVER_OFFERED", region -> {
                    CrashHarness.createVm(region, 0, PAGES);
                    CrashEnumerationTest.offerVm(region);
                    die(region, 1);
                }, region -> {
                    long mine = Takeover.begin(region, region.vm(0), 0, region.vm(0).ownerAcquire());
                    assertThat(Takeover.recover(region, region.vm(0), mine, buffer(region)).isResumable()).isTrue();
                    assertThat(Takeover.finish(region, region.vm(0), mine, OwnerState.RUNNING)).isTrue();
                }, region -> {
                    die(region, 0);
                    long mine = Takeover.begin(region, region.vm(0), 2, region.vm(0).ownerAcquire());
                    Takeover.Recovered found = Takeover.recover(region, region.vm(0), mine, buffer(region));
                    // It ran after the first takeover was done.
                    assertThat(found.isResumable()).isEqualTo(OwnerWord.is(mine, OwnerState.RESTORING));
                    destroyed(region, 2, mine);
                }));
    }

    /// Another host takes over what host 0 left of a takeover that it died in, at every 25th step, and dies in that.
    static List<Operation> secondFailures() {
        List<Operation> all = new ArrayList<>();
        Operation first = operations().stream().filter(each -> each.name().equals("TAKE_OVER")).findFirst()
                .orElseThrow();
        long steps = steps(first);
        for (long step = 1; step < steps; step += 25) {
            long at = step;
            all.add(new Operation("TAKE_OVER_AGAIN_" + at, region -> {
                first.setup().accept(region);
                CrashMemory memory = (CrashMemory) region.memory();
                diesAfter(memory, at, () -> first.run().accept(region(memory)));
                memory.arm(Long.MAX_VALUE);
                die(region, 0);
            }, region -> takeOver(region, 1), region -> {
                die(region, 1);
                assertThat(takeOver(region, 3)).isEqualTo(goneOrCommitted(region));
                destroyed(region, 3, region.vm(0).ownerAcquire());
            }));
        }
        assertThat(all).hasSizeGreaterThan(10);
        return all;
    }

    /// Those in which every store and every persist of protection and takeover comes.
    static List<Operation> planted() {
        List<Operation> all = new ArrayList<>(operations());
        // One in which a second host takes over from a takeover: the list of owners in doubt is written there.
        all.add(secondFailures().get(5));
        return all;
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

    @ParameterizedTest
    @MethodSource("secondFailures")
    void survivesADeathOfTheSecondHostToo(Operation operation) {
        assertThat(HARNESS.failures(operation, Model.P)).isEmpty();
    }

    // ---- the guest

    private static void protect(Region region) {
        protect(region, 0);
    }

    private static void boot(Region region, int host) {
        CrashHarness.createVm(region, host, PAGES);
        for (int page = 0; page < PAGES; page++) {
            store(region, page, region.vm(0).pageTable().entryAcquire(page), 0);
        }
    }

    private static void protect(Region region, int host) {
        boot(region, host);
        PageCheckpoint checkpoint = Protection.start(region, region.allocator(host), region.vm(0), 5_000);
        commit(region, checkpoint, 0);
        swap(region, OwnerState.RUNNING, host, 1);
        checkpoint.close();
    }

    private static void protectAndWork(Region region) {
        protect(region);
        PageCheckpoint checkpoint = owned(region);
        execute(region, checkpoint, 1);
        commit(region, checkpoint, 1);
        execute(region, checkpoint, 2);
        commit(region, checkpoint, 2);
        checkpoint.close();
    }

    /// Host 2 protects the VM and lets it work, and hands it to host 0.
    private static void arriveAtHost0(Region region) {
        protect(region, 2);
        PageCheckpoint checkpoint = Protection.prepare(region, region.allocator(2), region.vm(0));
        checkpoint.arrive(committed(region));
        execute(region, checkpoint, 1);
        commit(region, checkpoint, 1);
        execute(region, checkpoint, 2);
        execute(region, checkpoint, 3);
        commit(region, checkpoint, 3);
        long owner = region.vm(0).ownerAcquire();
        region.vm(0).fromRelease(FromWord.pack(2, OwnerWord.epoch(owner) + 1));
        swap(region, OwnerState.OFFERED, 0, 1);
        swap(region, OwnerState.RUNNING, 0, 0);
        checkpoint.close();
    }

    private static void host2Died(Region region) {
        protect(region, 2);
        PageCheckpoint checkpoint = Protection.prepare(region, region.allocator(2), region.vm(0));
        checkpoint.arrive(committed(region));
        execute(region, checkpoint, 1);
        commit(region, checkpoint, 1);
        execute(region, checkpoint, 2);
        commit(region, checkpoint, 2);
        execute(region, checkpoint, 3);
        die(region, 2);
    }

    private static void offer(Region region, PageCheckpoint checkpoint, long version) {
        commit(region, checkpoint, version);
        region.vm(0).fromRelease(FromWord.pack(0, OwnerWord.epoch(region.vm(0).ownerAcquire()) + 1));
        swap(region, OwnerState.OFFERED, 1, 1);
    }

    /// The checkpoints of the host that the owner word names.
    private static PageCheckpoint owned(Region region) {
        int host = OwnerWord.slot(region.vm(0).ownerAcquire());
        PageCheckpoint checkpoint = Protection.prepare(region, region.allocator(host), region.vm(0));
        checkpoint.arrive(committed(region));
        return checkpoint;
    }

    private static Blob committed(Region region) {
        VmSlot vm = region.vm(0);
        return vm.metadata(CommitWord.slot(vm.commitAcquire())).readChecked(vm.readIdentity().uuid(), buffer(region));
    }

    private static MemorySegment buffer(Region region) {
        return MemorySegment.ofArray(new byte[region.vm(0).metadata(0).capacity()]);
    }

    /// One step of the guest: writes its version to some pages.
    private static void execute(Region region, PageCheckpoint checkpoint, int version) {
        assertThat(checkpoint.mustCommit()).isFalse();
        PageTable table = region.vm(0).pageTable();
        for (int page : WRITES[version]) {
            long entry = table.entryAcquire(page);
            boolean written = region.memory().load(region.frameDataOffset(PageTableEntry.frame(entry))) > committed(
                    region, checkpoint);
            store(region, page, written ? entry : checkpoint.firstWrite(page, entry), version);
        }
    }

    private static long committed(Region region, PageCheckpoint checkpoint) {
        assertThat(checkpoint.interval()).isGreaterThan(CommitWord.interval(region.vm(0).commitAcquire()));
        return version(committed(region));
    }

    private static void store(Region region, int page, long entry, long version) {
        assertThat(PageTableEntry.isPresentShared(entry)).as("entry of page %d", page).isTrue();
        long at = region.frameDataOffset(PageTableEntry.frame(entry));
        region.memory().store(at, version);
        region.memory().store(at + 2048, version * 1000 + page);
        if (version == 0) {
            region.memory().store(at + 1024, 7000 + page);
        }
    }

    private static void commit(Region region, PageCheckpoint checkpoint, long version) {
        commit(region, checkpoint, version, false);
    }

    private static void commit(Region region, PageCheckpoint checkpoint, long version, boolean paused) {
        MemorySegment state = MemorySegment.ofArray(new byte[16]);
        state.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, version);
        checkpoint.next().writePayload(state, 16);
        assertThat(checkpoint.commit(OwnerWord.epoch(region.vm(0).ownerAcquire()), 16, 1, paused)).isTrue();
    }

    private static long version(Blob blob) {
        return blob.bytes().get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    }

    // ---- the takeover

    private static void die(Region region, int host) {
        HostSlots.fence(region, host, 1);
        Recovery.withdrawTakeBack(region, host);
        HostSlots.confirmStopped(region, host, 1);
    }

    /// All of it on one host. Returns the version that the VM goes on with, -1 if it is lost, -2 if it is not there.
    private static long takeOver(Region region, int host) {
        VmSlot vm = region.vm(0);
        if (SlotWord.state(region.host(host).wordAcquire()) == HostState.FREE) {
            HostSlots.claim(region, TestRegions.host("late"));
        }
        long owner = vm.ownerAcquire();
        long mine = Takeover.begin(region, vm, host, owner);
        assertThat(mine).isNotZero();
        assertThat(Takeover.inDoubt(region, vm, mine)).isEmpty();
        Takeover.Recovered found = Takeover.recover(region, vm, mine, buffer(region));
        assertThat(found.localPages()).isZero();
        if (!found.isResumable()) {
            assertThat(Takeover.lose(region, vm, mine)).isTrue();
            return -1;
        }
        long version = version(found.state());
        if (CommitWord.isProtected(vm.commitAcquire())) {
            long before = CommitWord.interval(vm.commitAcquire());
            PageCheckpoint checkpoint = Takeover.checkpoint(region, region.allocator(host), vm, mine, found.state());
            commit(region, checkpoint, version, found.state().paused());
            assertThat(CommitWord.interval(vm.commitAcquire())).isEqualTo(before + 2);
            memoryIs(region, version);
            writeTheSameAgain(region, checkpoint, found.state());
            memoryIs(region, version);
            checkpoint.close();
        }
        OwnerState to = found.state().paused() ? OwnerState.PAUSED : OwnerState.RUNNING;
        assertThat(Takeover.finish(region, vm, mine, to)).isTrue();
        assertThat(OwnerWord.state(vm.ownerAcquire())).isEqualTo(to);
        return version;
    }

    /// Uses spare pre-images up that the takeover kept.
    private static void writeTheSameAgain(Region region, PageCheckpoint checkpoint, Blob state) {
        PageTable table = region.vm(0).pageTable();
        for (int round = 0; round < 2; round++) {
            for (int page = 0; page < PAGES; page++) {
                assertThat(checkpoint.firstWrite(page, table.entryAcquire(page))).isPositive();
            }
            commit(region, checkpoint, version(state), state.paused());
        }
    }

    /// What the guest's pages hold at a version.
    private static void memoryIs(Region region, long version) {
        long[] expected = new long[PAGES];
        for (int step = 1; step <= version; step++) {
            for (int page : WRITES[step]) {
                expected[page] = step;
            }
        }
        PageTable table = region.vm(0).pageTable();
        for (int page = 0; page < PAGES; page++) {
            long at = region.frameDataOffset(PageTableEntry.frame(table.entryAcquire(page)));
            assertThat(region.memory().load(at)).as("page %d at version %d", page, version).isEqualTo(expected[page]);
            assertThat(region.memory().load(at + 1024)).as("word of page %d that nobody writes", page)
                    .isEqualTo(7000 + page);
            assertThat(region.memory().load(at + 2048)).as("second word of page %d", page)
                    .isEqualTo(expected[page] * 1000 + page);
        }
    }

    /// Host 0 is dead: what it had goes on at host 1, or is lost because it was not protected; then it is destroyed,
    /// and no frame is missing.
    private static void goesOn(Region region) {
        VmSlot vm = region.vm(0);
        die(region, 0);
        OwnerState state = OwnerWord.state(vm.ownerAcquire());
        if (state == OwnerState.FREE || state == OwnerState.DESTROYING) {
            Recovery.recover(region, 0, 1, 1);
            allFree(region);
            return;
        }
        boolean isProtected = CommitWord.isProtected(vm.commitAcquire());
        long expected = goneOrCommitted(region);
        // The target of a hand-off has not taken it yet.
        int host = OwnerWord.slot(vm.ownerAcquire()) == 1 ? 2 : 1;
        long went = takeOver(region, host);
        assertThat(went).isEqualTo(expected);
        assertThat(went >= 0).isEqualTo(isProtected);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        destroyed(region, host, vm.ownerAcquire());
    }

    /// The version that must survive; -1 if none can.
    private static long goneOrCommitted(Region region) {
        return CommitWord.isProtected(region.vm(0).commitAcquire()) ? version(committed(region)) : -1;
    }

    private static void destroyed(Region region, int host, long owner) {
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        assertThat(VmSlots.destroy(region, region.vm(0), owner)).isTrue();
        region.allocator(host).trim();
        // Blocks and frames of those who died before they had a VM.
        for (int dead = 0; dead < 3; dead++) {
            HostState state = SlotWord.state(region.host(dead).wordAcquire());
            if (state == HostState.CONFIRMED) {
                Recovery.recover(region, dead, 1, host);
            }
        }
        allFree(region);
    }

    private static void allFree(Region region) {
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        for (long frame = 0; frame < FRAMES; frame++) {
            assertThat(region.memory().load(region.frameWordOffset(frame))).as("frame %d", frame).isZero();
        }
    }
}
