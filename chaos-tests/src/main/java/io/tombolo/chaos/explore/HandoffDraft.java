package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.HandoffWorld.Budget;
import io.tombolo.chaos.explore.HandoffWorld.Host;
import io.tombolo.chaos.explore.HandoffWorld.Hosted;
import io.tombolo.chaos.explore.HandoffWorld.Kind;
import io.tombolo.chaos.explore.HandoffWorld.Leaders;
import io.tombolo.chaos.explore.HandoffWorld.Message;
import io.tombolo.chaos.explore.HandoffWorld.Messages;
import io.tombolo.chaos.explore.HandoffWorld.Region;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.coordinator.HandoffState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;

/// A world while one step changes it.
final class HandoffDraft {
    Region region;
    final Host[] hosts;
    Leaders leaders;
    Messages messages;
    Budget budget;

    HandoffDraft(HandoffWorld was) {
        region = was.region();
        hosts = new Host[]{was.a(), was.b(), was.c()};
        leaders = was.leaders();
        messages = was.messages();
        budget = was.budget();
    }

    HandoffWorld world() {
        tidy();
        return new HandoffWorld(region, hosts[0], hosts[1], hosts[2], leaders, messages, budget);
    }

    Hosted vm(int host) {
        return hosts[host].vm();
    }

    void vm(int host, Hosted next) {
        hosts[host] = hosts[host].vm(next);
    }

    static int slot(int host) {
        return host + 1;
    }

    void send(Message message) {
        if (isHeard(message)) {
            messages = messages.plus(message);
        }
    }

    /// Whether the message can make any difference to whom it is for, now or later.
    private boolean isHeard(Message message) {
        return switch (message.kind()) {
            case PREPARE, SWITCH, CANCEL, FINISH -> hosts[message.host()].alive()
                    && hosts[message.host()].term() <= message.term();
            // Nobody but the source that waits looks for the spinning that they are about.
            case OPEN_WINDOW -> hosts[message.host()].alive() && awaits(message.other(), message.seq());
            case WINDOW_PASSED -> awaits(message.host(), message.seq());
            case PREPARED -> awaits(message, HandoffState.Phase.PREPARING);
            case SWITCHED -> awaits(message, HandoffState.Phase.SWITCHING);
            case FINISHED -> awaits(message, HandoffState.Phase.FINISHING);
            case CANCELLED -> !message.flag() && (disarms(leaders.current(), message)
                    || disarms(leaders.old(), message));
        };
    }

    private boolean awaits(int source, long seq) {
        Hosted vm = vm(source);
        return vm != null && vm.source() != null && vm.source().phase() == SourceCore.Phase.WINDOW
                && vm.source().intentSeq() == seq;
    }

    private boolean awaits(Message message, HandoffState.Phase phase) {
        return (isOf(leaders.current(), message) && leaders.current().state().phase() == phase)
                || (isOf(leaders.old(), message) && leaders.old().state().phase() == phase);
    }

    private static boolean disarms(HandoffWorld.Runner runner, Message message) {
        return isOf(runner, message) && !runner.state().disarmed()
                && message.host() == runner.state().intent().fromSlot() - 1
                && (runner.state().phase() == HandoffState.Phase.RESOLVING
                        || runner.state().phase() == HandoffState.Phase.SWITCHING);
    }

    static boolean isOf(HandoffWorld.Runner runner, Message message) {
        return runner != null && runner.term() == message.term()
                && runner.state().intent().seq() == message.seq();
    }

    void answer(Kind kind, long term, long seq, int host, boolean flag) {
        send(new Message(kind, term, seq, 0, host, 0, flag));
    }

    /// Whether the host in that slot takes no orders of that coordinator any more.
    private boolean isDeaf(HandoffWorld.Runner runner, int slot) {
        Host host = hosts[slot - 1];
        return !host.alive() || host.term() > runner.term();
    }

    /// What nobody will ever hear is forgotten.
    private void tidy() {
        HandoffWorld.Runner old = leaders.old();
        if (old != null && (old.state().phase() == HandoffState.Phase.CLOSING
                || (isDeaf(old, old.state().intent().fromSlot()) && isDeaf(old, old.state().intent().toSlot())))) {
            // Nobody listens to it any more, and what it writes to ZooKeeper is refused.
            leaders = leaders.old(null);
        }
        for (Message message : messages.all()) {
            if (!isHeard(message)) {
                messages = messages.minus(message);
            }
        }
    }

    /// A store to one of the VM's words, which only the host that the owner word names may do.
    void storesAs(int host, String what) {
        if (OwnerWord.slot(region.owner()) != slot(host) || OwnerWord.is(region.owner(), OwnerState.OFFERED)) {
            region = region.wrong("I2: " + HandoffWorld.name(host) + " stores the " + what
                    + " though the owner word is " + OwnerWord.describe(region.owner()));
        }
    }

    boolean runsHere(int host, long epoch) {
        return region.owner() == OwnerWord.pack(OwnerState.RUNNING, slot(host), epoch);
    }

    /// The guest's vCPU asks its right and executes if it has it: the very right under which the word was taken.
    void execute(int host, boolean anyRight) {
        Hosted vm = vm(host);
        if (hosts[host].right() != HandoffWorld.Right.HELD || !runsHere(host, vm.runEpoch())
                || (vm.stale() && !anyRight)) {
            return;
        }
        if (vm.version() < region.lastRan()) {
            region = region.wrong("I5: " + HandoffWorld.name(host) + " runs a state of epoch " + vm.version()
                    + " though the guest has run at epoch " + region.lastRan());
        }
        if (vm.lapsed()) {
            region = region.wrong("I1: " + HandoffWorld.name(host)
                    + " runs after a lapse of its right without a new epoch, at " + vm.runEpoch());
        }
        region = region.ran(vm.runEpoch());
        vm(host, vm.exec(true).guest(vm.runEpoch(), vm.runEpoch(), vm.lapsed()));
    }
}
