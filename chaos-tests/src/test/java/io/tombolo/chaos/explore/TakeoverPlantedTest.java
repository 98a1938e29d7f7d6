package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.Call.Kind;
import io.tombolo.region.Blob;
import io.tombolo.region.CommitWord;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.HostState;
import io.tombolo.region.Memory;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageCheckpoint;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.TakeoverPlants;
import io.tombolo.region.VmSlot;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The exploration of takeover finds nothing in the protocol as it is, and each planted bug.
final class TakeoverPlantedTest {
    enum Bug {
        /// Nobody waits until the owner has stopped.
        WITHOUT_CONFIRMATION(1, 2, 1),
        /// The owner word is changed last, by who has rolled the VM back already.
        OWNER_WORD_AFTER_ROLLBACK(1, 2, 1),
        /// The commit word keeps the old owner's epoch.
        SEAL_MISSING(1, 2, 1),
        /// Who writes is told before the commit.
        ACKNOWLEDGED_BEFORE_COMMIT(1, 2, 1),
        /// Who reads is told what the open interval has written.
        READ_ANSWERED_BEFORE_COMMIT(1, 2, 1),
        /// The interval that was rolled back is opened again.
        INTERVAL_USED_AGAIN(1, 2, 1),
        /// A second takeover knows only the host that the first was made by.
        DOUBT_FORGOTTEN(2, 1, 1),
        /// The host's session is gone and its time is over, so it is taken for stopped.
        TIME_TAKEN_FOR_PROOF(1, 2, 1),
        /// The entry names the new frame before the log names the old one.
        LOGGED_AFTER_THE_ENTRY(1, 2, 1);

        private final int faults;
        private final int ownerSteps;
        private final int nextOwnerSteps;

        Bug(int faults, int ownerSteps, int nextOwnerSteps) {
            this.faults = faults;
            this.ownerSteps = ownerSteps;
            this.nextOwnerSteps = nextOwnerSteps;
        }
    }

    @Test
    void theProtocolComesThroughWithOneFault() {
        Findings.assertSound(new TakeoverModel(new TakeoverLife(2, 1), 1), 100_000);
    }

    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsFound(Bug bug) {
        Findings.assertFound(bug, new Planted(bug));
    }

    private static final class Planted extends TakeoverModel {
        private final Bug bug;

        Planted(Bug bug) {
            super(new PlantedLife(bug), bug.faults);
            this.bug = bug;
        }

        @Override
        Object make(TakeoverDraft draft, int host, Call call) {
            boolean isNext = host != TakeoverLife.A;
            return switch (bug) {
                case WITHOUT_CONFIRMATION -> {
                    Object result = super.make(draft, host, call);
                    // Believed of everybody, whatever the slot says.
                    yield isNext && call.kind() == Kind.LOAD && image().isHostWord(call.offset())
                            && SlotWord.state((Long) result) == HostState.FENCING
                                    ? (Object) SlotWord.pack(HostState.CONFIRMED,
                                            SlotWord.incarnation((Long) result))
                                    : result;
                }
                case SEAL_MISSING -> isNext && call.kind() == Kind.CAS && call.offset() == image().commit()
                        && CommitWord.interval(call.a()) == CommitWord.interval(call.b())
                                ? draft.memory().load(call.offset()) == call.a()
                                : super.make(draft, host, call);
                case DOUBT_FORGOTTEN -> isNext && call.kind() == Kind.CAS && image().isDoubt(call.offset())
                        && call.offset() > image().doubt(0) && call.a() == 0 ? true : super.make(draft, host, call);
                case OWNER_WORD_AFTER_ROLLBACK -> isNext ? late(draft, host, call) : super.make(draft, host, call);
                default -> super.make(draft, host, call);
            };
        }

        /// Its compare-and-set of the owner word is done when it says that the VM runs.
        private Object late(TakeoverDraft draft, int host, Call call) {
            long owner = draft.memory().load(image().owner());
            boolean taken = OwnerWord.slot(owner) == host;
            if (call.offset() != image().owner() || taken) {
                return super.make(draft, host, call);
            }
            if (call.kind() == Kind.CAS && OwnerWord.is(call.b(), OwnerState.RECOVERING)) {
                return owner == call.a();
            }
            if (call.kind() == Kind.CAS && OwnerWord.is(call.b(), OwnerState.RUNNING)) {
                long recovering = OwnerWord.pack(OwnerState.RECOVERING, host, OwnerWord.nextEpoch(owner));
                return (Boolean) super.make(draft, host, new Call(Kind.CAS, call.offset(), owner, recovering, null))
                        && (Boolean) super.make(draft, host, call);
            }
            return call.kind() == Kind.LOAD && draft.hasBegun(host)
                    ? OwnerWord.pack(OwnerState.RECOVERING, host, OwnerWord.nextEpoch(owner))
                    : super.make(draft, host, call);
        }

        @Override
        boolean isNobodyInDoubt(Region region, int host, long mine) {
            return bug == Bug.WITHOUT_CONFIRMATION || super.isNobodyInDoubt(region, host, mine);
        }

        @Override
        boolean mayConfirm(boolean dead) {
            return bug == Bug.TIME_TAKEN_FOR_PROOF || super.mayConfirm(dead);
        }
    }

    private static final class PlantedLife extends TakeoverLife {
        private final Bug bug;

        PlantedLife(Bug bug) {
            super(bug.ownerSteps, bug.nextOwnerSteps, bug == Bug.LOGGED_AFTER_THE_ENTRY ? 1 : 0);
            this.bug = bug;
        }

        @Override
        boolean tellsBeforeCommit() {
            return bug == Bug.ACKNOWLEDGED_BEFORE_COMMIT;
        }

        @Override
        boolean answersReads() {
            return bug == Bug.READ_ANSWERED_BEFORE_COMMIT;
        }

        @Override
        PageCheckpoint checkpoint(Region region, FrameAllocator allocator, VmSlot vm, long mine, Blob state) {
            return bug == Bug.INTERVAL_USED_AGAIN
                    ? TakeoverPlants.sameInterval(region, allocator, vm)
                    : super.checkpoint(region, allocator, vm, mine, state);
        }

        @Override
        boolean commitRecovered(Running running) {
            return bug == Bug.INTERVAL_USED_AGAIN || super.commitRecovered(running);
        }

        @Override
        Memory port(Lives.Port port) {
            return bug == Bug.LOGGED_AFTER_THE_ENTRY ? new LateLog(port) : port;
        }
    }

    /// Holds back what is written to the log until the page's entry names the new frame.
    private static final class LateLog implements Memory {
        private static final long ENTRY_BYTES = 32;
        private final Memory port;
        private Runnable held = () -> {
        };

        LateLog(Memory port) {
            this.port = port;
        }

        @Override
        public long bytes() {
            return port.bytes();
        }

        @Override
        public long load(long offset) {
            return port.load(offset);
        }

        @Override
        public long loadAcquire(long offset) {
            return port.loadAcquire(offset);
        }

        @Override
        public void store(long offset, long value) {
            port.store(offset, value);
        }

        @Override
        public void storeRelease(long offset, long value) {
            port.storeRelease(offset, value);
        }

        @Override
        public boolean compareAndSet(long offset, long expect, long next) {
            boolean done = port.compareAndSet(offset, expect, next);
            if (PageTableEntry.state(expect) == PteState.COPYING && PageTableEntry.isPresent(next)) {
                Runnable late = held;
                held = () -> {
                };
                late.run();
            }
            return done;
        }

        @Override
        public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
            if (count == ENTRY_BYTES) {
                MemorySegment copy = MemorySegment.ofArray(new byte[(int) count]);
                MemorySegment.copy(source, sourceOffset, copy, 0, count);
                held = () -> port.copyIn(copy, 0, offset, count);
            } else {
                port.copyIn(source, sourceOffset, offset, count);
            }
        }

        @Override
        public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
            port.copyOut(offset, target, targetOffset, count);
        }

        @Override
        public void copy(long fromOffset, long toOffset, long count) {
            port.copy(fromOffset, toOffset, count);
        }

        @Override
        public void zero(long offset, long count) {
            port.zero(offset, count);
        }

        @Override
        public void writeBack(long offset, long count) {
            port.writeBack(offset, count);
        }

        @Override
        public void fence() {
            port.fence();
        }

        @Override
        public boolean isAlwaysDurable() {
            return port.isAlwaysDurable();
        }

        @Override
        public MemorySegment segment(long offset, long count) {
            return port.segment(offset, count);
        }
    }
}
