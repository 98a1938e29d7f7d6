package io.tombolo.chaos.sim;

import java.util.function.BooleanSupplier;

/// What people do with a world: they start it, create VMs, migrate them while things go wrong, and look at the end
/// whether everything has come to rest.
final class User {
    private static final long MS = 1_000_000;
    private static final long SETTLE_NS = 3_000 * MS;

    private final World world;
    private final Rng rng;
    private final Rest rest;
    private final boolean[] spared = new boolean[Plan.MAX_VMS];
    private boolean resting;

    User(World world, Rng rng) {
        this.world = world;
        this.rng = rng;
        this.rest = new Rest(world);
    }

    /// Whether nobody asks for pages of the VM but its transit.
    boolean spares(int vm) {
        return spared[vm];
    }

    /// Whether everything is over and movers need not begin anything new.
    boolean resting() {
        return resting;
    }

    /// The whole scenario; on an actor.
    void use() {
        Plan plan = world.plan();
        world.start();
        SimHost[] hosts = world.machines().hosts();
        await(() -> {
            for (SimHost host : hosts) {
                if (!host.started() || !host.held()) {
                    return false;
                }
            }
            return world.leader() != null;
        }, "the hosts do not start");
        for (int vm = 0; vm < plan.vms(); vm++) {
            create(vm, hosts[vm % hosts.length]);
        }
        world.troubles().arm();
        for (int i = 0; i < plan.migrations(); i++) {
            migrate();
        }
        if (plan.slow()) {
            world.scheduler().sleep(rng.between(1 * MS, 300 * MS));
        }
        world.heal();
        await(rest::settled, "it does not come to rest");
        resting = true;
        await(() -> world.machines().movers() == 0, "a page move does not end");
        rest.check();
        world.scheduler().end();
    }

    private void create(int vm, SimHost host) {
        SimCoordinator.Answer[] answer = new SimCoordinator.Answer[1];
        await(() -> {
            // The leader may have looked at a server that is behind.
            if (world.leader() != null && !world.oracle().executes(vm) && (answer[0] == null || answer[0].there())) {
                answer[0] = world.leader().create(world.spec(vm), host.hostName());
            }
            return world.oracle().executes(vm);
        }, "vm " + vm + " is not created");
    }

    private void await(BooleanSupplier until, String what) {
        Scheduler scheduler = world.scheduler();
        long from = scheduler.nowNs();
        while (!until.getAsBoolean()) {
            if (scheduler.nowNs() - from > SETTLE_NS) {
                world.violation("L: " + what + " within " + SETTLE_NS / MS + " ms: " + rest.standing());
                return;
            }
            scheduler.sleep(1 * MS);
        }
    }

    private void migrate() {
        Scheduler scheduler = world.scheduler();
        Plan plan = world.plan();
        SimHost[] hosts = world.machines().hosts();
        int vm = rng.below(plan.vms());
        SimCoordinator leader = world.leader();
        SimHost to = hosts[rng.below(hosts.length)];
        boolean transit = plan.moves() > 0 && !rng.oneIn(4);
        spared[vm] = transit && !rng.oneIn(4);
        long from = scheduler.nowNs();
        long patience = rng.between(4 * MS, 60 * MS);
        if (leader != null && to.alive() && to.started()) {
            SimCoordinator.Answer answer = transit
                    ? leader.transit("vm" + vm, to.hostName())
                    : leader.migrate("vm" + vm, to.hostName());
            while (!answer.there() && scheduler.nowNs() - from < patience) {
                scheduler.sleep(500_000);
            }
        }
        spared[vm] = false;
        scheduler.sleep(rng.between(100_000, 3 * MS));
        if (plan.slow()) {
            // Long enough for sessions to end and leaders to change.
            scheduler.sleep(rng.between(1 * MS, 150 * MS));
        }
    }
}
