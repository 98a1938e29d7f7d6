package io.tombolo.chaos.sim;

import io.tombolo.region.FrameState;
import io.tombolo.region.FrameWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import java.lang.foreign.MemorySegment;

/// Mistakes of the protocols, each as a wiring of the world that makes the shipped code behave as if it had it. None of
/// them is in production code.
enum PlantedBug {
    EPOCH_NOT_CHECKED(6_000, "owner word compared without its epoch") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new OwnerPort(world, process) {
                @Override
                boolean ownerCas(long offset, long expect, long next) {
                    long found = rawLoad(offset);
                    boolean alike = OwnerWord.state(found) == OwnerWord.state(expect)
                            && OwnerWord.slot(found) == OwnerWord.slot(expect);
                    return sound(offset, alike ? found : expect, next);
                }
            });
        }
    },
    OWNER_WORD_STORED(4_000, "owner word stored and not compared") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new OwnerPort(world, process) {
                @Override
                boolean ownerCas(long offset, long expect, long next) {
                    // Looks, and stores a moment later.
                    if (loadAcquire(offset) != expect) {
                        return false;
                    }
                    load(offset);
                    world().oracle().beforeCas(process(), offset, rawLoad(offset), next);
                    world().memory().set(process(), offset, next);
                    return true;
                }
            });
        }
    },
    LOST_CAS_IGNORED(4_000,
            "a target that lost its compare-and-set runs the VM, and looks at its own copy of the word") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new OwnerPort(world, process) {
                private long believed;

                @Override
                boolean ownerCas(long offset, long expect, long next) {
                    boolean won = sound(offset, expect, next);
                    if (!won && OwnerWord.is(expect, OwnerState.OFFERED)
                            && OwnerWord.slot(expect) == OwnerWord.slot(next)) {
                        believed = next;
                        return true;
                    }
                    return won;
                }

                @Override
                public long loadAcquire(long offset) {
                    long value = super.loadAcquire(offset);
                    return believed != 0 && world().oracle().isOwnerWord(offset) ? believed : value;
                }
            });
        }
    },
    TAKE_BACK_FROM_CLAIMED(4_000, "take-back from CLAIMED") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new OwnerPort(world, process) {
                @Override
                boolean ownerCas(long offset, long expect, long next) {
                    long claimed = OwnerWord.pack(OwnerState.CLAIMED, OwnerWord.slot(expect), OwnerWord.epoch(expect));
                    boolean takesBack = OwnerWord.is(expect, OwnerState.OFFERED)
                            && OwnerWord.is(next, OwnerState.RUNNING) && OwnerWord.slot(next) != OwnerWord.slot(expect);
                    return sound(offset, takesBack && rawLoad(offset) == claimed ? claimed : expect, next);
                }
            });
        }
    },
    GATE_NOT_CLOSED(20_000, "pages move while the VM is offered: the gate is not closed") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new HostMemory(world, process) {
                @Override
                public boolean compareAndSet(long offset, long expect, long next) {
                    // Everybody believes that it is closed, and everybody gets in.
                    return super.compareAndSet(offset, expect, next);
                }

                @Override
                public long loadAcquire(long offset) {
                    long value = super.loadAcquire(offset);
                    return world.oracle().isGate(offset) && calledBy("enter") ? value & ~(1L << 63) : value;
                }
            });
        }
    },
    LOCAL_PAGES_NOT_COUNTED(2_000, "a VM with local pages is handed over") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new HostMemory(world, process) {
                @Override
                public long loadAcquire(long offset) {
                    long value = super.loadAcquire(offset);
                    return world.oracle().isLocalPages(offset) && !calledBy("addLocalPages") ? 0 : value;
                }
            });
        }
    },
    PUBLISHED_BEFORE_COPY(2_000, "page-table entry published before the copy") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new TablePort(world, process) {
                @Override
                boolean tableCas(long offset, long expect, long next) {
                    boolean publishes = PageTableEntry.state(expect) == PteState.MIGRATING
                            && PageTableEntry.state(next) == PteState.PRESENT
                            && PageTableEntry.tier(expect) == Tier.LOCAL && PageTableEntry.tier(next) == Tier.SHARED;
                    if (!publishes || rawLoad(offset) != expect) {
                        return sound(offset, expect, next);
                    }
                    MemorySegment page = segment(((SimHost) process).region().frameDataOffset(
                            PageTableEntry.frame(next)), Oracle.FRAME_BYTES);
                    long[] copy = page.toArray(java.lang.foreign.ValueLayout.JAVA_LONG);
                    page.fill((byte) 0);
                    boolean done = sound(offset, expect, next);
                    for (int i = 0; i < 8; i++) {
                        load(offset);
                    }
                    MemorySegment.copy(MemorySegment.ofArray(copy), 0, page, 0, Oracle.FRAME_BYTES);
                    return done;
                }
            });
        }
    },
    SHOOT_DOWN_SKIPPED(500, "shoot-down skipped") {
        @Override
        Wiring wiring() {
            return new Wiring() {
                @Override
                boolean vcpusTell() {
                    return false;
                }
            };
        }
    },
    TAG_NOT_COMPARED(20_000, "page-table entries compared without their tag") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new TablePort(world, process) {
                @Override
                boolean tableCas(long offset, long expect, long next) {
                    long found = rawLoad(offset);
                    boolean alike = PageTableEntry.state(found) == PageTableEntry.state(expect)
                            && PageTableEntry.tier(found) == PageTableEntry.tier(expect)
                            && PageTableEntry.frame(found) == PageTableEntry.frame(expect);
                    return sound(offset, alike ? found : expect, alike ? withTag(next, found + (1L << 4)) : next);
                }
            });
        }
    },
    TAG_NOT_RAISED(500, "page-table entries keep their tag") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new TablePort(world, process) {
                @Override
                boolean tableCas(long offset, long expect, long next) {
                    return sound(offset, expect, expect == 0 ? next : withTag(next, expect));
                }
            });
        }
    },
    RECOVERY_FREES_LIVE_FRAME(5_000, "recovery takes a reserved frame for unused") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new HostMemory(world, process) {
                @Override
                public long loadAcquire(long offset) {
                    long value = super.loadAcquire(offset);
                    return world.oracle().isTable(offset) && calledBy("entryNames") ? 0 : value;
                }
            });
        }
    },
    FRAME_FREED_AT_ONCE(500, "the frame of a page that moves is freed before the page has moved") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new HostMemory(world, process) {
                @Override
                public boolean compareAndSet(long offset, long expect, long next) {
                    boolean retires = FrameWord.state(expect) == FrameState.USED
                            && FrameWord.state(next) == FrameState.RESERVED && calledBy("retire");
                    return super.compareAndSet(offset, expect, next)
                            && (!retires || super.compareAndSet(offset, next, FrameWord.FREE));
                }
            });
        }
    },
    CONFIRMED_WITHOUT_EVIDENCE(2_000, "a process that stands still is taken for stopped, and its slot is used again") {
        @Override
        Wiring wiring() {
            return new Wiring() {
                @Override
                boolean reapsFirst() {
                    return false;
                }
            };
        }
    },
    STATE_NOT_CHECKED(2_000, "the state of another offer is used") {
        @Override
        Wiring wiring() {
            return ports((world, process) -> new HostMemory(world, process) {
                @Override
                public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
                    // The header of the first offer stays.
                    if (!world.oracle().isMetadata(offset) || rawLoad(offset) == 0) {
                        super.copyIn(source, sourceOffset, offset, count);
                    }
                }
            });
        }
    },
    /// Harms nobody, see docs/planted-bugs.md.
    ONE_METADATA_SLOT(0, "one metadata slot for every offer") {
        @Override
        Wiring wiring() {
            return ports(OneMetadataSlot::new);
        }
    };

    private final int within;
    private final String text;

    /// @param within schedules in which it should be found; 0: in none
    PlantedBug(int within, String text) {
        this.within = within;
        this.text = text;
    }

    int within() {
        return within;
    }

    String text() {
        return text;
    }

    abstract Wiring wiring();

    interface Ports {
        HostMemory of(World world, SimProcess process);
    }

    static Wiring ports(Ports ports) {
        return new Wiring() {
            @Override
            HostMemory memory(World world, SimProcess process) {
                return ports.of(world, process);
            }
        };
    }

    private static long withTag(long entry, long other) {
        long mask = 0xFFFFL << 4;
        return (entry & ~mask) | (other & mask);
    }

    static boolean calledBy(String method) {
        return StackWalker.getInstance()
                .walk(frames -> frames.limit(8).anyMatch(frame -> frame.getMethodName().equals(method)));
    }

    /// A port that makes a mistake at the owner word.
    private abstract static class OwnerPort extends HostMemory {
        OwnerPort(World world, SimProcess process) {
            super(world, process);
        }

        abstract boolean ownerCas(long offset, long expect, long next);

        final boolean sound(long offset, long expect, long next) {
            return super.compareAndSet(offset, expect, next);
        }

        @Override
        public boolean compareAndSet(long offset, long expect, long next) {
            return world().oracle().isOwnerWord(offset) ? ownerCas(offset, expect, next) : sound(offset, expect, next);
        }
    }

    /// A port to which the second metadata slot of a VM is the first.
    private static final class OneMetadataSlot extends HostMemory {
        private final long from = Simulator.LAYOUT.metadataOffset();
        private final long bytes = Simulator.LAYOUT.metadataSlotBytes();

        OneMetadataSlot(World world, SimProcess process) {
            super(world, process);
        }

        private long first(long offset) {
            return world().oracle().isMetadata(offset) && (offset - from) / bytes % 2 == 1 ? offset - bytes : offset;
        }

        @Override
        public long load(long offset) {
            return super.load(first(offset));
        }

        @Override
        public long loadAcquire(long offset) {
            return super.loadAcquire(first(offset));
        }

        @Override
        public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
            super.copyIn(source, sourceOffset, first(offset), count);
        }

        @Override
        public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
            super.copyOut(first(offset), target, targetOffset, count);
        }

        @Override
        public void writeBack(long offset, long count) {
            super.writeBack(first(offset), count);
        }

        @Override
        public MemorySegment segment(long offset, long count) {
            return super.segment(first(offset), count);
        }
    }

    /// A port that makes a mistake at page-table entries.
    private abstract static class TablePort extends HostMemory {
        TablePort(World world, SimProcess process) {
            super(world, process);
        }

        abstract boolean tableCas(long offset, long expect, long next);

        final boolean sound(long offset, long expect, long next) {
            return super.compareAndSet(offset, expect, next);
        }

        @Override
        public boolean compareAndSet(long offset, long expect, long next) {
            return world().oracle().isTable(offset) ? tableCas(offset, expect, next) : sound(offset, expect, next);
        }
    }
}
