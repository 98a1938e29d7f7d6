package io.tombolo.chaos.explore;

import io.tombolo.agent.right.RightState;
import io.tombolo.chaos.explore.LeaseWorld.Guest;
import io.tombolo.chaos.explore.LeaseWorld.Still;
import io.tombolo.chaos.explore.LeaseWorld.Vcpu;
import io.tombolo.region.SlotWord;
import java.util.LinkedHashMap;
import java.util.Map;

/// A world of right keeping as a person reads it. Ages in steps of time.
final class LeaseFacts {
    private LeaseFacts() {
    }

    static Map<String, String> of(LeaseWorld world, long stepNs) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("owner", HandoffFacts.owner(world.words().owner()));
        facts.put("slot", SlotWord.describe(world.words().slot()));
        RightState right = world.keeper().state();
        facts.put("right", right.phase().toString());
        long left = world.keeper().gateUntilNs() == Long.MIN_VALUE
                ? -1
                : (world.keeper().gateUntilNs() - LeaseWorld.NOW_NS) / stepNs;
        facts.put("gate", left < 0 ? "closed" : "open for " + left);
        facts.put("control", world.keeper().tasks().isEmpty()
                ? "idle"
                : "to do " + world.keeper().tasks().stream().map(job -> job.task().toString()).toList());
        facts.put("vCPU", vcpu(world.guest(), stepNs));
        facts.put("A", !world.around().alive()
                ? "dead"
                : world.around().still() == Still.NOTHING ? "alive" : world.around().still() + " stands still");
        facts.put("supervisor", world.around().supervisor() ? "answers" : "away");
        facts.put("watchdog counts from", age(world.around().armedNs(), stepNs));
        facts.put("pet", age(world.around().petNs(), stepNs));
        facts.put("heartbeat", age(world.around().heartbeatNs(), stepNs));
        facts.put("C", world.around().takeover().toString());
        return facts;
    }

    private static String vcpu(Guest guest, long stepNs) {
        String ran = guest.vcpu() == Vcpu.STOPPED ? "" : ", checked " + age(guest.checkedNs(), stepNs);
        return guest.here()
                ? guest.vcpu() + ran + " at epoch " + guest.runEpoch() + (guest.wanted() ? ", is to run" : "")
                        + (guest.lapsed() ? ", right lapsed since" : "")
                : "gone";
    }

    static String age(long atNs, long stepNs) {
        return atNs == 0 ? "none" : (LeaseWorld.NOW_NS - atNs) / stepNs + " ago";
    }
}
