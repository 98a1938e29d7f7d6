package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.sim.Plan.Fault;
import io.tombolo.region.HostSlots;
import io.tombolo.region.Region;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What goes wrong in a world: the faults of its plan, each when its moment comes, and what is cut off for now.
final class Troubles {
    private final World world;
    private final List<Fault> faults;
    private final Map<HandoffPoint, Integer> occurrences = new EnumMap<>(HandoffPoint.class);
    private final long[] deafUntilNs = new long[Plan.MAX_HOSTS];
    private boolean armed;
    private boolean healed;
    private long start;
    private long nextFaultStep;
    private int handoffs;

    Troubles(World world, Plan plan) {
        this.world = world;
        this.faults = new ArrayList<>(plan.faults());
    }

    /// Faults may come from here on; their steps count from here.
    void arm() {
        armed = true;
        start = world.scheduler().steps();
        armSteps();
    }

    boolean armed() {
        return armed;
    }

    boolean healed() {
        return healed;
    }

    /// Whether something may go wrong at this moment.
    boolean may() {
        return armed && !healed;
    }

    int handoffs() {
        return handoffs;
    }

    boolean cut(SimProcess one, SimProcess other) {
        return deaf(one) || deaf(other);
    }

    private boolean deaf(SimProcess process) {
        return process instanceof SimHost host && deafUntilNs[host.number()] > world.scheduler().nowNs();
    }

    /// A process makes a step.
    void step(SimProcess process) {
        if (armed && !healed && process instanceof SimHost host && world.scheduler().steps() >= nextFaultStep) {
            strikeAtStep(host);
        }
    }

    private void strikeAtStep(SimHost host) {
        nextFaultStep = Long.MAX_VALUE;
        for (int i = 0; i < faults.size(); i++) {
            Fault fault = faults.get(i);
            if (fault.point() == null && world.scheduler().steps() >= start + fault.step()) {
                faults.remove(i--);
                strike(host, fault);
            }
        }
        armSteps();
    }

    private void armSteps() {
        nextFaultStep = Long.MAX_VALUE;
        for (Fault fault : faults) {
            if (fault.point() == null) {
                nextFaultStep = Math.min(nextFaultStep, start + fault.step());
            }
        }
    }

    /// A named moment of a hand-off.
    void at(SimHost host, HandoffPoint point) {
        world.trace(() -> host + ": " + point);
        if (point == HandoffPoint.TARGET_RUNNING) {
            handoffs++;
        }
        int before = occurrences.merge(point, 1, Integer::sum) - 1;
        if (!may()) {
            return;
        }
        for (int i = 0; i < faults.size(); i++) {
            Fault fault = faults.get(i);
            if (fault.point() == point && fault.occurrence() <= before) {
                faults.remove(i--);
                strike(host, fault);
            }
        }
    }

    private void strike(SimHost host, Fault fault) {
        world.trace(() -> "FAULT " + fault.trouble() + " at " + host
                + (fault.durationNs() > 0 ? " for " + fault.durationNs() / 1000 + " us" : ""));
        Scheduler scheduler = world.scheduler();
        long until = scheduler.nowNs() + fault.durationNs();
        switch (fault.trouble()) {
            case PROCESS_DEATH -> world.machines().die(host, false);
            case HOST_DEATH -> world.machines().die(host, true);
            case FENCE -> fence(host);
            case PAUSE -> {
                host.pauseUntil(until);
                world.machines().stoodStill(host);
                scheduler.yieldNow();
            }
            case STALL -> scheduler.sleep(fault.durationNs());
            case SESSION_LOSS -> world.ensemble().endSession(host.session().client());
            case CUT_FROM_COORDINATION -> host.cutFromCoordination(until);
            case CUT_FROM_HOSTS -> deafUntilNs[host.number()] = until;
            case LEADER_DEATH, LEADER_PAUSE, LEADER_CUT, LEADER_SESSION_LOSS, CANCEL ->
                strikeLeader(fault.trouble(), until);
            case ENSEMBLE_FOLLOWER_CUT -> world.ensemble().cutOff(false, fault.durationNs());
            case ENSEMBLE_LEADER_CUT -> world.ensemble().cutOff(true, fault.durationNs());
            case ENSEMBLE_LEADER_DEATH -> world.ensemble().killLeader(fault.durationNs());
        }
    }

    private void strikeLeader(Plan.Trouble trouble, long untilNs) {
        SimCoordinator leader = world.leader();
        if (leader == null) {
            return;
        }
        switch (trouble) {
            case LEADER_DEATH -> world.dies(leader);
            case LEADER_PAUSE -> leader.pauseUntil(untilNs);
            case LEADER_CUT -> leader.cutFromCoordination(untilNs);
            case LEADER_SESSION_LOSS -> world.ensemble().endSession(leader.session().client());
            case CANCEL -> leader.cancelAll();
            default -> throw new IllegalArgumentException(trouble + " is not a leader's");
        }
    }

    private void fence(SimHost host) {
        if (host.started()) {
            world.scheduler().spawn(world.physics(), "fence", () -> HostSlots.fence(
                    Region.over(world.wiring().memory(world, world.physics()), Path.of("simulated")), host.slot(),
                    host.incarnation()));
        }
    }

    /// Nothing goes wrong any more, and nothing is cut off.
    void heal() {
        world.trace(() -> "faults end");
        healed = true;
        for (int i = 0; i < Plan.MAX_HOSTS; i++) {
            deafUntilNs[i] = 0;
        }
    }
}
