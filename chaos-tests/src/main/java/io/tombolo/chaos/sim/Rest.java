package io.tombolo.chaos.sim;

import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.FromWord;
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Recovery;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.SlotWord;
import io.tombolo.region.VerifyReport;
import io.tombolo.region.VmSlot;
import java.nio.file.Path;

/// What must be so when the faults of a world have ended and everything had time to come to rest.
final class Rest {
    private final World world;

    Rest(World world) {
        this.world = world;
    }

    /// Every VM whose owner lives runs, and no intent is open but of hosts that are dead.
    boolean settled() {
        for (int vm = 0; vm < world.plan().vms(); vm++) {
            if (!settled(vm)) {
                return false;
            }
        }
        return world.records().stream().allMatch(this::inLine) && world.intents().stream().allMatch(
                intent -> world.machines().live(intent.fromSlot()) == null
                        || world.machines().live(intent.toSlot()) == null);
    }

    /// Whether the record of a VM whose owner lives says so.
    private boolean inLine(VmRecord record) {
        long word = world.oracle().owner(record.slot());
        SimHost named = world.machines().live(OwnerWord.slot(word));
        return !OwnerWord.is(word, OwnerState.RUNNING) || named == null
                || (record.host().equals(named.hostName()) && record.epoch() == OwnerWord.epoch(word)
                        && record.reason().isEmpty());
    }

    private boolean settled(int vm) {
        long word = world.oracle().owner(vm);
        SimHost named = world.machines().live(OwnerWord.slot(word));
        return switch (OwnerWord.state(word)) {
            case RUNNING -> named == null || world.oracle().executes(vm);
            case OFFERED -> (named == null || isReused(named)) && !sourceCanAct(vm, word);
            case CLAIMED, CREATING, RECOVERING, RESTORING, DESTROYING -> named == null;
            case FREE, PAUSED, LOST -> true;
            case null -> false;
        };
    }

    /// A source that stood still may offer a VM to a slot that was given to somebody else meanwhile. If it dies as
    /// well, the VM is one whose hosts are both dead (row 11 of the case table), whoever has the slot.
    private boolean isReused(SimHost named) {
        return world.machines().incarnations().stream()
                .anyMatch(host -> host != named && host.slot() == named.slot());
    }

    private boolean sourceCanAct(int vm, long word) {
        long from = world.oracle().from(vm);
        return FromWord.allows(from, FromWord.slot(from), word) && world.machines().live(FromWord.slot(from)) != null;
    }

    /// For people: where everything is.
    String standing() {
        StringBuilder text = new StringBuilder();
        for (int vm = 0; vm < world.plan().vms(); vm++) {
            long word = world.oracle().owner(vm);
            text.append("vm").append(vm).append(' ').append(OwnerWord.describe(word))
                    .append(world.oracle().executes(vm) ? ", executes" : ", stands still")
                    .append(world.machines().live(OwnerWord.slot(word)) == null ? ", host dead; " : ", host alive; ");
        }
        for (SimHost host : world.machines().hosts()) {
            if (host.alive() && host.started()) {
                text.append(host.describe()).append("; ");
            }
        }
        return text + "intents " + world.intents() + ", records " + world.records();
    }

    /// Everybody stands still from here on: this makes no step.
    void check() {
        Region region = Region.over(new ArrayMemory(world.memory().view()), Path.of("simulated"));
        SimHost executor = firstLive();
        world.memory().touch(0, world.oracle().controlBytes());
        for (int vm = 0; vm < world.plan().vms(); vm++) {
            world.memory().touch(region.frameDataOffset(world.tableFrame(vm)), Oracle.FRAME_BYTES);
        }
        if (executor != null) {
            recover(region, executor.slot());
        }
        VerifyReport report = RegionVerifier.verify(region);
        if (executor != null && !report.clean()) {
            world.violation("I4: verify finds " + report.findings().getFirst());
        }
        for (int vm = 0; vm < world.plan().vms(); vm++) {
            // Of a guest that its host took with it nothing is promised: what it wrote to a page that had just become
            // local may be gone with the entry that says so.
            if (!world.machines().lostWithHost(vm)) {
                world.oracle().checkContents(vm, world.plan().pages());
            }
        }
    }

    private SimHost firstLive() {
        for (SimHost host : world.machines().hosts()) {
            if (host.alive() && host.started()) {
                return host;
            }
        }
        return null;
    }

    /// What takeover will do with the VMs of hosts that are dead, as far as it is built.
    private void recover(Region region, int executor) {
        for (SimHost host : world.machines().incarnations()) {
            if (!host.alive() && host.slot() >= 0) {
                HostSlots.confirmReaped(region, world.machines().identity(host).pid(),
                        world.machines().identity(host).bootId());
                long word = region.host(host.slot()).wordAcquire();
                if (SlotWord.state(word) == HostState.CONFIRMED && SlotWord.incarnation(word) == host.incarnation()) {
                    Recovery.recover(region, host.slot(), host.incarnation(), executor);
                }
            }
        }
        for (int i = 0; i < world.plan().vms(); i++) {
            VmSlot vm = region.vm(i);
            long word = vm.ownerAcquire();
            if (OwnerWord.is(word, OwnerState.FREE) || world.machines().live(OwnerWord.slot(word)) != null) {
                continue;
            }
            boolean saved = OwnerWord.is(word, OwnerState.OFFERED) || OwnerWord.is(word, OwnerState.PAUSED);
            long recovering = OwnerWord.pack(saved ? OwnerState.RESTORING : OwnerState.RECOVERING, executor,
                    OwnerWord.nextEpoch(word));
            if (vm.compareAndSetOwner(word, recovering)) {
                Recovery.recoverVm(region, vm, executor);
            }
        }
    }
}
