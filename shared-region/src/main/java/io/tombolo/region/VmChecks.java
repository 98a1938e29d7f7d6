package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/// Verify's look at VM slots and metadata slots.
final class VmChecks {
    private VmChecks() {
    }

    static void check(VerifyPass pass) {
        Map<UUID, Integer> seen = new HashMap<>();
        for (int i = 0; i < pass.owners.length; i++) {
            VmSlot vm = pass.region.vm(i);
            long owner = vm.ownerAcquire();
            pass.owners[i] = owner;
            String name = "vm_slot " + i;
            FieldBuffer raw = vm.load();
            pass.reserved(RegionLayout.VM_SLOT, name, raw, vm.base());
            pass.count("vm " + OwnerWord.state(owner));
            owner(pass, vm, name, owner);
            pass.gates[i] = vm.gate().wordAcquire();
            if (pass.isFree(i)) {
                // The armed target is not the owner, so its three words may come late; they mean nothing then.
                long spin = RegionLayout.VM_SLOT.offset("spin");
                if (!raw.allZero(8, spin) || !raw.allZero(spin + 24, RegionLayout.VM_SLOT.bytes())) {
                    pass.add(Finding.Code.FREE_BUT_NOT_EMPTY, name, vm.base(), "contents", "0 in a free slot");
                }
                continue;
            }
            words(pass, vm, name);
            gate(pass, vm, name);
            protection(pass, vm, name, raw);
            VmIdentity identity = VmSlot.decodeOrNull(raw, pass.region.superblock().frameCount());
            pass.identities[i] = identity;
            if (pass.inTransition(i)) {
                continue;
            }
            if (identity == null || raw.word("created_epoch") > OwnerWord.epoch(owner)) {
                pass.add(Finding.Code.CHECKSUM, name + " identity", vm.base() + VmSlot.IDENTITY,
                        "crc " + SuperblockReader.hex(raw.int32("crc")) + " created_epoch " + raw.word("created_epoch"),
                        "crc " + SuperblockReader.hex(raw.crc("uuid")) + " created_epoch up to "
                                + OwnerWord.epoch(owner));
            } else {
                Integer other = seen.putIfAbsent(identity.uuid(), i);
                if (other != null) {
                    pass.add(Finding.Code.DUPLICATE_VM, name + " uuid", vm.base() + VmSlot.IDENTITY,
                            identity.uuid() + " also in vm_slot " + other, "one slot per VM");
                }
            }
            pins(pass, vm, name, identity);
            if (pass.isOffered(i)) {
                metadata(pass, vm, identity);
            }
            committed(pass, vm, identity);
        }
    }

    private static void owner(VerifyPass pass, VmSlot vm, String name, long owner) {
        OwnerState state = OwnerWord.state(owner);
        if (state == null || (state == OwnerState.FREE && OwnerWord.slot(owner) != 0)) {
            pass.add(Finding.Code.ILLEGAL_WORD, name + " owner", vm.base(), OwnerWord.describe(owner),
                    "a known state, host 0 if FREE");
        } else if (state != OwnerState.FREE && !pass.hostExists(OwnerWord.slot(owner))) {
            pass.add(Finding.Code.HOST_NOT_THERE, name + " owner", vm.base(), OwnerWord.describe(owner),
                    "a host slot that is not free");
        }
    }

    private static void words(VerifyPass pass, VmSlot vm, String name) {
        long from = vm.fromAcquire();
        if (from >>> 60 != 0 || FromWord.slot(from) >= pass.hosts.length) {
            pass.add(Finding.Code.ILLEGAL_WORD, name + " from", vm.base() + RegionLayout.VM_SLOT.offset("from"),
                    SuperblockReader.hex(from), "host slot below " + pass.hosts.length);
        }
        armed(pass, name + " armed", vm.base() + RegionLayout.VM_SLOT.offset("armed"), vm.armedAcquire());
        armed(pass, name + " spin", vm.base() + RegionLayout.VM_SLOT.offset("spin"), vm.spinAcquire());
    }

    private static void protection(VerifyPass pass, VmSlot vm, String name, FieldBuffer raw) {
        long commit = vm.commitAcquire();
        if (!CommitWord.isLegal(commit)) {
            pass.add(Finding.Code.ILLEGAL_WORD, name + " commit", vm.base() + RegionLayout.VM_SLOT.offset("commit"),
                    CommitWord.describe(commit), "0, or protected");
        }
        long log = RegionLayout.VM_SLOT.offset("log_first_frame");
        boolean nothing = raw.allZero(log, RegionLayout.VM_SLOT.offset("log_crc") + 4);
        boolean whole = VmSlot.logPlaceOrNull(raw, pass.region.superblock().frameCount()) != null;
        if (nothing ? CommitWord.isProtected(commit) : !whole && !pass.mayBeInterrupted(vm.index())) {
            pass.add(Finding.Code.CHECKSUM, name + " log", vm.base() + log,
                    "crc " + SuperblockReader.hex(raw.int32("log_crc")) + (nothing ? ", no log" : ""),
                    CommitWord.isProtected(commit) ? "the place of a log" : "0, or the place of a log");
        }
        for (int place = 0; place <= RegionLayout.OWNERS_IN_DOUBT_MAX; place++) {
            long doubt = vm.doubtAcquire(place);
            if (DoubtWord.slot(doubt) >= pass.hosts.length || (place > 0 && doubt != 0
                    && !DoubtWord.namesSomebody(doubt))) {
                pass.add(Finding.Code.ILLEGAL_WORD, name + " owner in doubt " + place,
                        vm.base() + RegionLayout.VM_SLOT.offset("taken_from") + place * 8L, DoubtWord.describe(doubt),
                        "host slot below " + pass.hosts.length);
            }
        }
    }

    private static void gate(VerifyPass pass, VmSlot vm, String name) {
        long gate = pass.gates[vm.index()];
        long at = vm.base() + RegionLayout.VM_SLOT.offset("gate");
        if (!VmGate.isLegal(gate)) {
            pass.add(Finding.Code.ILLEGAL_WORD, name + " gate", at, VmGate.describe(gate),
                    "at most " + VmGate.COUNT_MAX + " operations in flight");
        } else if (pass.isOffered(vm.index()) && VmGate.count(gate) > 0) {
            pass.add(Finding.Code.ILLEGAL_WORD, name + " gate", at, VmGate.describe(gate),
                    "no operation in flight in a VM that is offered");
        } else if (pass.isOffered(vm.index()) && VmGate.isCopied(gate) && vm.localPagesAcquire() == 0) {
            pass.add(Finding.Code.ILLEGAL_WORD, name + " gate", at, VmGate.describe(gate),
                    "no copies of pages, where none is local");
        }
    }

    private static void pins(VerifyPass pass, VmSlot vm, String name, VmIdentity identity) {
        VmPins pins = vm.pins();
        boolean interrupted = pass.mayBeInterrupted(vm.index());
        long inUse = 0;
        for (int i = 0; i < VmPins.RANGES_MAX; i++) {
            long range = pass.memory.loadAcquire(pins.rangeAt(i));
            long pin = pass.memory.loadAcquire(pins.pinAt(i));
            long first = VmPins.first(range);
            long pages = VmPins.pages(range);
            if (pin == 0) {
                if (range != 0 && !interrupted) {
                    pass.add(Finding.Code.PINS, name + " pin_ranges " + i, pins.rangeAt(i), describe(range, pin),
                            "0 in a place that is not in use");
                }
                continue;
            }
            inUse++;
            if (pin != VmPins.pinWord(range, (int) pin) || (int) pin < 1 || pages == 0
                    || (identity != null && first + pages > identity.pages())) {
                pass.add(Finding.Code.PINS, name + " pin_ranges " + i, pins.rangeAt(i), describe(range, pin),
                        "a checked range inside the VM");
            }
        }
        long used = pins.usedAcquire();
        if (used < inUse || used > VmPins.RANGES_MAX || (used > inUse && !interrupted)) {
            pass.add(Finding.Code.PINS, name + " pins", vm.base() + RegionLayout.VM_SLOT.offset("pins"), used,
                    inUse + " places in use");
        }
    }

    private static String describe(long range, long pin) {
        return "first " + VmPins.first(range) + " pages " + VmPins.pages(range) + " pin " + SuperblockReader.hex(pin);
    }

    /// What a takeover of a protected VM would go back to. A running VM commits while we look: only a word that is
    /// still the same afterwards names a slot that nobody writes.
    private static void committed(VerifyPass pass, VmSlot vm, VmIdentity identity) {
        long commit = vm.commitAcquire();
        if (!CommitWord.isProtected(commit) || identity == null) {
            return;
        }
        MetadataSlot slot = vm.metadata(CommitWord.slot(commit));
        String found;
        try {
            Blob blob = slot.readChecked(identity.uuid(), MemorySegment.ofArray(new byte[slot.capacity()]));
            found = blob.interval() <= CommitWord.interval(commit) ? "" : "interval " + blob.interval();
        } catch (TomboloException e) {
            found = e.code().name() + " " + e.facts().get("found");
        }
        if (!found.isEmpty() && vm.commitAcquire() == commit) {
            pass.add(Finding.Code.METADATA_MISSING, "metadata " + vm.index() + " " + CommitWord.slot(commit),
                    slot.base(), found, "the state of " + CommitWord.describe(commit));
        }
    }

    private static void armed(VerifyPass pass, String name, long offset, long word) {
        if (word != ArmedWord.NONE && (ArmedWord.intentSeq(word) == 0 || ArmedWord.target(word) >= pass.hosts.length)) {
            pass.add(Finding.Code.ILLEGAL_WORD, name, offset, ArmedWord.describe(word),
                    "0, or an intent and a host slot below " + pass.hosts.length);
        }
    }

    /// A VM that was offered is nowhere but in its metadata: each slot that was ever published must be whole, and one
    /// must be this VM's.
    private static void metadata(VerifyPass pass, VmSlot vm, VmIdentity identity) {
        if (identity == null) {
            return;
        }
        boolean found = false;
        for (int which = 0; which < 2; which++) {
            MetadataSlot slot = vm.metadata(which);
            if (slot.isEmpty()) {
                continue;
            }
            try {
                Blob blob = slot.readChecked(identity.uuid(), MemorySegment.ofArray(new byte[slot.capacity()]));
                found |= blob.epoch() <= OwnerWord.epoch(pass.owners[vm.index()]);
            } catch (TomboloException e) {
                if (e.code() == RegionError.REGION_METADATA_DAMAGED) {
                    pass.add(Finding.Code.CHECKSUM, "metadata " + vm.index() + " " + which,
                            Long.parseLong(e.facts().get("offset")), e.facts().get("found"), e.facts().get("expected"));
                }
            }
        }
        if (!found) {
            pass.add(Finding.Code.METADATA_MISSING, "metadata " + vm.index(), vm.metadata(0).base(),
                    "no sound blob of this VM",
                    "a blob published before the VM was offered");
        }
    }
}
