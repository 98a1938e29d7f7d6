package io.tombolo.chaos.sim;

import io.tombolo.region.ArmedWord;
import io.tombolo.region.BlockWord;
import io.tombolo.region.FrameState;
import io.tombolo.region.FrameWord;
import io.tombolo.region.FromWord;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.SlotWord;
import io.tombolo.region.Superblock;
import io.tombolo.region.Tier;
import io.tombolo.region.VmGate;
import java.util.Arrays;

/// Knows everything and checks the invariants I1, I2, I4 and I5 of docs/guarantees.md at every step: who may store
/// where, who executes, what a guest reads. It looks at the memory as it is, never at what a host believes, and uses
/// nothing of the protocols but the meaning of the words.
///
/// The offsets inside a VM slot are those of docs/region-format.md, written down again on purpose.
final class Oracle {
    private static final long VM_SLOT_BYTES = 2048;
    private static final long HOST_SLOT_BYTES = 1024;
    private static final long ARMED = 128;
    private static final long SPIN = 256;
    private static final long FROM = 384;
    private static final long GATE = 512;
    private static final long LOCAL_PAGES = 896;
    private static final long IDENTITY = 1280;
    /// Words of each guest page that the guests use.
    static final int WORDS_PER_PAGE = 2;
    static final long FRAME_BYTES = 4096;

    private final World world;
    private final SimMemory memory;
    private final Superblock layout;
    private final long[][] contents;
    private final Stretch[] runner;
    private final long[][] registers;
    private final long[][] lapsedEpoch;
    private long checks;

    /// One uninterrupted stay of a VM's vCPUs on a host.
    static final class Stretch {
        private final SimHost host;
        private final long word;
        private int vcpus;

        private Stretch(SimHost host, long word) {
            this.host = host;
            this.word = word;
        }
    }

    Oracle(World world, SimMemory memory, Superblock layout, int vms, int pages) {
        this.world = world;
        this.memory = memory;
        this.layout = layout;
        this.contents = new long[vms][pages * WORDS_PER_PAGE];
        this.runner = new Stretch[vms];
        this.registers = new long[vms][];
        this.lapsedEpoch = new long[vms][layout.hostSlots()];
        for (long[] epochs : lapsedEpoch) {
            Arrays.fill(epochs, -1);
        }
    }

    long checks() {
        return checks;
    }

    /// Everything before the frames.
    long controlBytes() {
        return layout.frameOffset() + layout.frameCount() * 8;
    }

    private void violate(String invariant, String what) {
        world.violation(invariant + ": " + what);
    }

    long owner(int vm) {
        return memory.get(layout.vmOffset() + vm * VM_SLOT_BYTES);
    }

    long from(int vm) {
        return memory.get(layout.vmOffset() + vm * VM_SLOT_BYTES + FROM);
    }

    long localPages(int vm) {
        return memory.get(layout.vmOffset() + vm * VM_SLOT_BYTES + LOCAL_PAGES);
    }

    private long slotWord(int slot) {
        return memory.get(layout.hostOffset() + slot * HOST_SLOT_BYTES);
    }

    // ---- who may store where

    /// Who has said that it has stopped stores nothing any more.
    private void notStopped(SimProcess by) {
        if (by instanceof SimHost host && host.slot() >= 0) {
            long word = slotWord(host.slot());
            if (SlotWord.incarnation(word) == host.incarnation()
                    && (SlotWord.state(word) == HostState.STOPPED || SlotWord.state(word) == HostState.CONFIRMED)) {
                violate("I2", by + " stores though its slot says " + SlotWord.describe(word));
            }
        }
    }

    /// A plain store.
    void beforeStore(SimProcess by, long offset, long value) {
        notStopped(by);
        if (offset < layout.vmOffset()) {
            if (offset >= layout.hostOffset() && (offset - layout.hostOffset()) % HOST_SLOT_BYTES == 0) {
                violate("I2", by + " stores the word of a host slot");
            }
        } else if (offset < layout.metadataOffset()) {
            vmSlot(by, offset, value, false);
        } else if (offset < layout.blockOffset()) {
            metadata(by, offset);
        } else if (offset < layout.dataOffset()) {
            violate("I4", by + " stores a block or frame word");
        } else {
            data(by, offset, false, 0, value);
        }
    }

    /// A compare-and-set that is going to succeed.
    void beforeCas(SimProcess by, long offset, long was, long next) {
        notStopped(by);
        if (offset < layout.vmOffset()) {
            if ((offset - layout.hostOffset()) % HOST_SLOT_BYTES == 0) {
                hostWord(by, (int) ((offset - layout.hostOffset()) / HOST_SLOT_BYTES), was, next);
            }
        } else if (offset < layout.metadataOffset()) {
            if ((offset - layout.vmOffset()) % VM_SLOT_BYTES == 0) {
                ownerWord(by, (int) ((offset - layout.vmOffset()) / VM_SLOT_BYTES), was, next);
            } else {
                vmSlot(by, offset, next, true);
            }
        } else if (offset < layout.blockOffset()) {
            violate("I2", by + " compares and sets a metadata slot");
        } else if (offset < layout.frameOffset()) {
            block(by, (offset - layout.blockOffset()) / 8, was, next);
        } else if (offset < layout.dataOffset()) {
            frame(by, (offset - layout.frameOffset()) / 8, was, next);
        } else {
            data(by, offset, true, was, next);
        }
    }

    /// A copy or a clearing of a range.
    void beforeBulk(SimProcess by, long offset, long count) {
        notStopped(by);
        if (offset >= layout.vmOffset() && offset < layout.metadataOffset()) {
            vmSlot(by, offset, 0, false);
        } else if (offset >= layout.metadataOffset() && offset < layout.blockOffset()) {
            metadata(by, offset);
        } else if (offset >= layout.dataOffset()) {
            for (long at = offset; at < offset + count; at += FRAME_BYTES) {
                data(by, at, false, 0, 0);
            }
        }
    }

    /// A range is being written back. Frames that a mover of this host has reserved were filled by it, past the port.
    void beforeWriteBack(SimProcess by, long offset, long count) {
        if (offset >= layout.dataOffset() && count == FRAME_BYTES && by instanceof SimHost host) {
            long word = memory.get(layout.frameOffset() + (offset - layout.dataOffset()) / FRAME_BYTES * 8);
            if (FrameWord.state(word) == FrameState.RESERVED && FrameWord.slot(word) == host.slot()) {
                memory.noteStored(by, offset, count);
            } else if (FrameWord.state(word) != FrameState.TABLE) {
                violate("I2", by + " has filled frame " + (offset - layout.dataOffset()) / FRAME_BYTES + ", which is "
                        + FrameWord.describe(word));
            }
        }
    }

    private static int slotOf(SimProcess by) {
        return by instanceof SimHost host ? host.slot() : -1;
    }

    /// Whether that host is the one that the VM's owner word names.
    boolean owns(SimProcess by, int vm) {
        long word = owner(vm);
        return !OwnerWord.is(word, OwnerState.FREE) && OwnerWord.slot(word) == slotOf(by);
    }

    private void vmSlot(SimProcess by, long offset, long value, boolean cas) {
        checks++;
        int vm = (int) ((offset - layout.vmOffset()) / VM_SLOT_BYTES);
        long field = (offset - layout.vmOffset()) % VM_SLOT_BYTES;
        if (field == 0) {
            violate("I1", by + " stores owner word " + OwnerWord.describe(value) + " of vm " + vm
                    + " and does not compare it");
            return;
        }
        if (field >= SPIN && field < FROM) {
            // Written by the armed target; a wrong value costs time and nothing else.
            return;
        }
        long word = owner(vm);
        boolean mine = owns(by, vm);
        if (field >= IDENTITY && field < 1536) {
            OwnerState state = OwnerWord.state(word);
            if (!mine || (state != OwnerState.CREATING && state != OwnerState.DESTROYING)) {
                violate("I2", by + " writes the identity of vm " + vm + ", which is " + OwnerWord.describe(word));
            }
        } else if (field >= ARMED && !mine) {
            violate("I2", by + " stores to field " + field + " of vm " + vm + ", which is "
                    + OwnerWord.describe(word));
        } else if ((field == ARMED || field == FROM) && value != 0 && !OwnerWord.is(word, OwnerState.RUNNING)) {
            violate("I2", by + " arms vm " + vm + ", which is " + OwnerWord.describe(word));
        } else if (field >= GATE && field < 640 && !cas) {
            violate("I2", by + " stores the gate of vm " + vm);
        }
    }

    private void metadata(SimProcess by, long offset) {
        checks++;
        int vm = (int) ((offset - layout.metadataOffset()) / layout.metadataSlotBytes() / 2);
        long word = owner(vm);
        if (!owns(by, vm) || !OwnerWord.is(word, OwnerState.RUNNING)) {
            violate("I2", by + " writes metadata of vm " + vm + ", which is " + OwnerWord.describe(word));
        }
    }

    private void hostWord(SimProcess by, int slot, long was, long next) {
        checks++;
        if (!HostState.permits(was, next)) {
            violate("I2", by + ": host slot " + slot + ": " + SlotWord.describe(was) + " -> "
                    + SlotWord.describe(next));
        }
        HostState to = SlotWord.state(next);
        if ((to == HostState.CONFIRMED || to == HostState.STOPPED)
                && world.machines().storing(slot, SlotWord.incarnation(next))) {
            violate("I2", by + " says " + SlotWord.describe(next) + " of slot " + slot
                    + ", and threads of it still store");
        }
    }

    /// Whether the process of the incarnation that a word names can certainly not store any more.
    private boolean stopped(int slot) {
        HostState state = SlotWord.state(slotWord(slot));
        return state == HostState.CONFIRMED || state == HostState.STOPPED || state == HostState.FREE;
    }

    private void ownerWord(SimProcess by, int vm, long was, long next) {
        checks++;
        if (!OwnerState.permits(was, next)) {
            violate("I1", by + ": vm " + vm + ": " + OwnerWord.describe(was) + " -> " + OwnerWord.describe(next));
            return;
        }
        int self = slotOf(by);
        OwnerState from = OwnerWord.state(was);
        OwnerState to = OwnerWord.state(next);
        int named = OwnerWord.slot(was);
        boolean may = switch (from) {
            case FREE -> OwnerWord.slot(next) == self;
            case OFFERED -> {
                if (to == OwnerState.OFFERED && OwnerWord.slot(next) == named) {
                    long right = memory.get(layout.vmOffset() + vm * VM_SLOT_BYTES + FROM);
                    yield stopped(FromWord.slot(right));
                }
                boolean takesBack = to == OwnerState.RUNNING && OwnerWord.slot(next) == self && FromWord.allows(
                        memory.get(layout.vmOffset() + vm * VM_SLOT_BYTES + FROM), self, was);
                yield named == self || takesBack;
            }
            case CREATING, RUNNING, CLAIMED, RECOVERING, RESTORING, PAUSED, DESTROYING, LOST -> named == self
                    || stopped(named);
        };
        if (!may) {
            violate("I1", by + " (slot " + self + ") changes vm " + vm + ": " + OwnerWord.describe(was) + " -> "
                    + OwnerWord.describe(next));
        }
        Stretch running = runner[vm];
        if (running != null && running.host.alive() && running.word == was && to != OwnerState.DESTROYING) {
            violate("I1", by + " changes vm " + vm + ": " + OwnerWord.describe(was) + " -> "
                    + OwnerWord.describe(next) + " while its vCPUs execute on " + running.host);
        }
    }

    private void block(SimProcess by, long block, long was, long next) {
        checks++;
        int self = slotOf(by);
        boolean may = was == BlockWord.FREE
                ? BlockWord.slot(next) == self || BlockWord.isLargeUsed(next)
                : BlockWord.slot(was) == self || stopped(BlockWord.slot(was));
        if (!may) {
            violate("I4", by + " (slot " + self + ") changes block " + block + ": " + BlockWord.describe(was) + " -> "
                    + BlockWord.describe(next));
        }
    }

    private void frame(SimProcess by, long frame, long was, long next) {
        checks++;
        int self = slotOf(by);
        FrameState from = FrameWord.state(was);
        FrameState to = FrameWord.state(next);
        int vm = FrameWord.vm(was == FrameWord.FREE ? next : was);
        boolean mine = vm < contents.length && owns(by, vm);
        boolean may = switch (from) {
            case FREE -> to == FrameState.RESERVED ? FrameWord.slot(next) == self : to == FrameState.TABLE && mine;
            case RESERVED -> FrameWord.slot(was) == self || stopped(FrameWord.slot(was));
            case USED -> mine && (to == FrameState.FREE
                    ? OwnerWord.is(owner(vm), OwnerState.DESTROYING) || OwnerWord.is(owner(vm), OwnerState.CREATING)
                    : to == FrameState.RESERVED && FrameWord.slot(next) == self);
            case TABLE -> mine && to == FrameState.FREE;
            case PREIMAGE, QUARANTINED -> false;
            case null -> false;
        };
        if (!may) {
            violate("I4", by + " (slot " + self + ") changes frame " + frame + ": " + FrameWord.describe(was) + " -> "
                    + FrameWord.describe(next));
        } else if (to == FrameState.FREE && from == FrameState.RESERVED && backs(frame, vm, FrameWord.page(was))) {
            violate("I4", by + " frees frame " + frame + ", which backs page " + FrameWord.page(was) + " of vm " + vm);
        }
    }

    private boolean backs(long frame, int vm, long page) {
        if (vm >= contents.length || OwnerWord.is(owner(vm), OwnerState.FREE)
                || OwnerWord.is(owner(vm), OwnerState.CREATING) || OwnerWord.is(owner(vm), OwnerState.DESTROYING)) {
            return false;
        }
        long table = world.tableFrame(vm);
        long entry = memory.get(layout.dataOffset() + table * FRAME_BYTES + page * 8);
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && PageTableEntry.frame(entry) == frame;
    }

    private void data(SimProcess by, long offset, boolean cas, long was, long next) {
        checks++;
        long frame = (offset - layout.dataOffset()) / FRAME_BYTES;
        long word = memory.get(layout.frameOffset() + frame * 8);
        int vm = FrameWord.vm(word);
        boolean may = switch (FrameWord.state(word)) {
            case RESERVED -> FrameWord.slot(word) == slotOf(by);
            case USED, TABLE -> owns(by, vm);
            case FREE, PREIMAGE, QUARANTINED -> false;
            case null -> false;
        };
        if (!may) {
            violate("I2", by + " stores to frame " + frame + ", which is " + FrameWord.describe(word)
                    + (FrameWord.state(word) == FrameState.FREE ? "" : "; the vm is " + OwnerWord.describe(owner(vm))));
        } else if (cas && FrameWord.state(word) == FrameState.TABLE) {
            entry(by, vm, (offset - layout.dataOffset()) % FRAME_BYTES / 8, was, next);
        }
    }

    private void entry(SimProcess by, int vm, long page, long was, long next) {
        if (PageTableEntry.state(was) != PageTableEntry.state(next) && PageTableEntry.state(was) != PteState.ABSENT
                && PageTableEntry.state(next) != PteState.ABSENT
                && PageTableEntry.tag(next) == PageTableEntry.tag(was)) {
            violate("I5", by + ": the tag of page " + page + " of vm " + vm + " stays the same");
        }
        if (PageTableEntry.state(next) != PteState.ABSENT && PageTableEntry.tier(next) == Tier.SHARED) {
            long frame = PageTableEntry.frame(next);
            long word = memory.get(layout.frameOffset() + frame * 8);
            boolean sound = word == FrameWord.used(vm, page) || word == FrameWord.reserved(slotOf(by), vm, page)
                    || (FrameWord.state(word) == FrameState.RESERVED && FrameWord.vm(word) == vm
                            && FrameWord.page(word) == page && stopped(FrameWord.slot(word)));
            if (!sound) {
                violate("I4", by + ": page " + page + " of vm " + vm + " would be in frame " + frame + ", which is "
                        + FrameWord.describe(word));
            }
        }
    }

    // ---- who executes

    /// A vCPU is about to execute the first instruction of a stretch.
    ///
    /// @param words the registers it has
    Stretch begin(SimHost host, int vm, long[] words) {
        checks++;
        long word = owner(vm);
        if (!OwnerWord.is(word, OwnerState.RUNNING) || OwnerWord.slot(word) != host.slot()) {
            violate("I1", host + " executes vm " + vm + ", which is " + OwnerWord.describe(word));
        }
        if (OwnerWord.epoch(word) <= lapsedEpoch[vm][host.slot()]) {
            violate("I1", host + " goes on with vm " + vm + " at epoch " + OwnerWord.epoch(word)
                    + " though its right lapsed in that epoch");
        }
        Stretch running = runner[vm];
        if (running != null && running.host.alive() && (running.host != host || running.word != word)) {
            violate("I1", host + " executes vm " + vm + " at " + OwnerWord.describe(word) + " while " + running.host
                    + " executes it at " + OwnerWord.describe(running.word));
        }
        if (running == null || !running.host.alive()) {
            if (registers[vm] != null && !Arrays.equals(registers[vm], words)) {
                violate("I2", host + " executes vm " + vm + " from registers " + Arrays.toString(words)
                        + " that are not those it stopped with: " + Arrays.toString(registers[vm]));
            }
            running = new Stretch(host, word);
            runner[vm] = running;
        }
        running.vcpus++;
        return running;
    }

    /// One access of a vCPU, at the very step at which it is made.
    void execute(SimHost host, int vm, Stretch stretch) {
        checks++;
        if (runner[vm] != stretch || owner(vm) != stretch.word) {
            violate("I1", host + " executes an instruction of vm " + vm + " at " + OwnerWord.describe(stretch.word)
                    + " but the owner word is " + OwnerWord.describe(owner(vm)));
        }
    }

    /// A vCPU has executed its last instruction of the stretch.
    void end(int vm, Stretch stretch, long[] words) {
        if (--stretch.vcpus == 0 && runner[vm] == stretch) {
            runner[vm] = null;
            registers[vm] = words.clone();
        }
    }

    /// The keeper of a host has closed its gate.
    void lapsed(SimHost host) {
        for (int vm = 0; vm < contents.length; vm++) {
            long word = owner(vm);
            if (OwnerWord.is(word, OwnerState.RUNNING) && OwnerWord.slot(word) == host.slot()
                    && runner[vm] != null && runner[vm].host == host) {
                lapsedEpoch[vm][host.slot()] = OwnerWord.epoch(word);
            }
        }
    }

    /// The slot has a new incarnation.
    void claimed(int slot) {
        for (long[] epochs : lapsedEpoch) {
            epochs[slot] = -1;
        }
    }

    boolean executes(int vm) {
        return runner[vm] != null && runner[vm].host.alive();
    }

    // ---- what the guest reads

    void wrote(int vm, int page, int word, long value) {
        contents[vm][page * WORDS_PER_PAGE + word] = value;
    }

    void read(SimProcess by, int vm, int page, int word, long value) {
        checks++;
        long expected = contents[vm][page * WORDS_PER_PAGE + word];
        if (value != expected) {
            violate("I5", by + " reads " + value + " from word " + word + " of page " + page + " of vm " + vm
                    + ", the guest wrote " + expected);
        }
    }

    /// All pages of a VM that runs, as its page table has them.
    void checkContents(int vm, int pages) {
        for (int page = 0; page < pages; page++) {
            long entry = memory.get(layout.dataOffset() + world.tableFrame(vm) * FRAME_BYTES + page * 8L);
            SimHost host = OwnerWord.is(owner(vm), OwnerState.RUNNING)
                    ? world.machines().live(OwnerWord.slot(owner(vm)))
                    : null;
            if (PageTableEntry.state(entry) != PteState.ABSENT
                    && (PageTableEntry.tier(entry) == Tier.SHARED || host != null)) {
                for (int word = 0; word < WORDS_PER_PAGE; word++) {
                    long value = PageTableEntry.tier(entry) == Tier.SHARED
                            ? memory.get(layout.dataOffset() + PageTableEntry.frame(entry) * FRAME_BYTES + word * 8L)
                            : host.localWord(PageTableEntry.frame(entry) * FRAME_BYTES + word * 8L);
                    if (value != contents[vm][page * WORDS_PER_PAGE + word]) {
                        violate("I5", "word " + word + " of page " + page + " of vm " + vm + " is " + value
                                + " in the end, the guest wrote " + contents[vm][page * WORDS_PER_PAGE + word]);
                    }
                }
            }
        }
    }

    /// Whether the line is of a page of a guest, and not of a table.
    boolean isGuestData(long offset) {
        if (offset < layout.dataOffset()) {
            return false;
        }
        long word = memory.get(layout.frameOffset() + (offset - layout.dataOffset()) / FRAME_BYTES * 8);
        // A frame that is being moved from may be reserved and still back its page.
        return FrameWord.state(word) == FrameState.USED || (FrameWord.state(word) == FrameState.RESERVED
                && backs((offset - layout.dataOffset()) / FRAME_BYTES, FrameWord.vm(word), FrameWord.page(word)));
    }

    // ---- what a place is

    private boolean isField(long offset, long field) {
        return offset >= layout.vmOffset() && offset < layout.metadataOffset()
                && (offset - layout.vmOffset()) % VM_SLOT_BYTES == field;
    }

    boolean isOwnerWord(long offset) {
        return isField(offset, 0);
    }

    boolean isGate(long offset) {
        return isField(offset, GATE);
    }

    boolean isLocalPages(long offset) {
        return isField(offset, LOCAL_PAGES);
    }

    boolean isMetadata(long offset) {
        return offset >= layout.metadataOffset() && offset < layout.blockOffset();
    }

    boolean isTable(long offset) {
        return offset >= layout.dataOffset() && FrameWord.state(memory.get(layout.frameOffset()
                + (offset - layout.dataOffset()) / FRAME_BYTES * 8)) == FrameState.TABLE;
    }

    // ---- names, for traces

    /// What a word means; null for one that nobody wants to read about.
    String name(long offset, long value) {
        if (offset < layout.vmOffset()) {
            return "slot " + (offset - layout.hostOffset()) / HOST_SLOT_BYTES + " " + SlotWord.describe(value);
        }
        if (offset < layout.metadataOffset()) {
            String vm = "vm" + (offset - layout.vmOffset()) / VM_SLOT_BYTES;
            long field = (offset - layout.vmOffset()) % VM_SLOT_BYTES;
            if (field == 0) {
                return vm + " owner " + OwnerWord.describe(value);
            }
            return field == ARMED
                    ? vm + " armed " + ArmedWord.describe(value)
                    : field == FROM
                            ? vm + " from " + FromWord.describe(value)
                            : field == GATE
                                    ? vm + " gate " + VmGate.describe(value)
                                    : field == SPIN ? vm + " spin " + ArmedWord.describe(value) : null;
        }
        if (offset >= layout.blockOffset() && offset < layout.frameOffset()) {
            return "block " + (offset - layout.blockOffset()) / 8 + " " + BlockWord.describe(value);
        }
        if (offset >= layout.frameOffset() && offset < layout.dataOffset()) {
            return "frame " + (offset - layout.frameOffset()) / 8 + " " + FrameWord.describe(value);
        }
        if (offset >= layout.dataOffset()) {
            long frame = (offset - layout.dataOffset()) / FRAME_BYTES;
            long word = memory.get(layout.frameOffset() + frame * 8);
            if (FrameWord.state(word) == FrameState.TABLE) {
                return "vm" + FrameWord.vm(word) + " page " + (offset - layout.dataOffset()) % FRAME_BYTES / 8 + " "
                        + PageTableEntry.describe(value);
            }
        }
        return null;
    }
}
