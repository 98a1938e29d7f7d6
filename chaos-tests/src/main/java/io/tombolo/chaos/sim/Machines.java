package io.tombolo.chaos.sim;

import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// The machines of a world and their supervisors: what runs, what died and how, and what is started again.
final class Machines {
    private static final long MS = 1_000_000;

    private final World world;
    private final Rng rng;
    private final SimHost[] hosts;
    private final List<SimHost> incarnations = new ArrayList<>();
    private final int[] incarnationCount = new int[Plan.MAX_HOSTS];
    private final List<SimHost> ended = new ArrayList<>();
    private final boolean[] lostWithHost = new boolean[Plan.MAX_VMS];

    Machines(World world, Rng rng, int count) {
        this.world = world;
        this.rng = rng;
        this.hosts = new SimHost[count];
    }

    /// By machine: the process that is or was there last.
    SimHost[] hosts() {
        return hosts;
    }

    /// Every process that was ever a host.
    List<SimHost> incarnations() {
        return incarnations;
    }

    /// Whether the VM ran on a host that died with its caches.
    boolean lostWithHost(int vm) {
        return lostWithHost[vm];
    }

    SimHost live(String name) {
        SimHost host = hosts[Integer.parseInt(name.substring(1))];
        return host != null && host.alive() && host.started() ? host : null;
    }

    SimHost live(int slot) {
        for (SimHost host : hosts) {
            if (host != null && host.alive() && host.started() && host.slot() == slot) {
                return host;
            }
        }
        return null;
    }

    /// Whether a thread of that incarnation may still store.
    boolean storing(int slot, long incarnation) {
        for (SimHost host : incarnations) {
            if (host.slot() == slot && host.incarnation() == incarnation) {
                return host.storing();
            }
        }
        return false;
    }

    HostIdentity identity(SimHost host) {
        return new HostIdentity(new UUID(1, host.number()), host.hostName(), new UUID(2, host.bootId()), pid(host),
                SimHost.TIMINGS.watchdogBound(io.tombolo.agent.right.PetMode.TIMESTAMPED, false));
    }

    long pid(SimHost host) {
        return 1000L + incarnations.indexOf(host);
    }

    void boot(int number, long bootId) {
        SimHost host = new SimHost(world, number, ++incarnationCount[number], bootId);
        incarnations.add(host);
        hosts[number] = host;
        world.scheduler().spawn(host, host + "/start", () -> {
            try {
                host.start();
                world.trace(() -> host + " starts in slot " + host.slot());
            } catch (TomboloException e) {
                world.trace(() -> host + " cannot start: " + e.getMessage());
                host.kill();
            }
        });
    }

    /// The process dies, or its host with its caches; the supervisor, or the next boot, does what they do.
    void die(SimHost host, boolean wholeHost) {
        host.kill();
        if (wholeHost) {
            // What a guest itself stores is taken to reach the memory: nothing in the protocols persists it.
            for (int vm = 0; vm < Plan.MAX_VMS; vm++) {
                long word = world.oracle().owner(vm);
                lostWithHost[vm] |= OwnerWord.is(word, OwnerState.RUNNING) && OwnerWord.slot(word) == host.slot();
            }
            int lost = world.memory().lose(host, rng, world.oracle()::isGuestData);
            world.trace(() -> host + " loses " + lost + " cache lines");
        }
        bury(host, wholeHost);
        if (world.scheduler().current() != null && world.scheduler().current().process == host) {
            throw new Scheduler.Gone();
        }
    }

    /// A supervisor with a mistake takes the process for dead.
    void stoodStill(SimHost host) {
        if (!world.wiring().reapsFirst()) {
            bury(host, false);
        }
    }

    private void bury(SimHost host, boolean wholeHost) {
        long boot = wholeHost ? host.bootId() + 1 : host.bootId();
        world.scheduler().spawn(world.physics(), "supervisor of " + host, () -> {
            world.scheduler().sleep(rng.between(1 * MS, 40 * MS));
            restart(host, boot);
        });
    }

    /// The incarnation ends, by itself or not.
    void ended(SimHost host) {
        if (!ended.contains(host)) {
            ended.add(host);
        }
    }

    private void restart(SimHost old, long boot) {
        Region region = Region.over(world.wiring().memory(world, world.physics()), Path.of("simulated"));
        boolean confirmed = HostSlots.confirmReaped(region, identity(old).pid(), identity(old).bootId());
        world.trace(() -> "supervisor: " + old + " is reaped" + (confirmed ? " and confirmed stopped" : ""));
        if (rng.oneIn(4)) {
            return;
        }
        world.scheduler().sleep(rng.between(1 * MS, 20 * MS));
        boot(old.number(), boot);
    }

    /// Kills what does not pet, as the supervisor of every machine does, and starts what has ended by itself.
    void supervise() {
        long limit = SimHost.TIMINGS.watchdogNs() + SimHost.TIMINGS.scanMs() * MS;
        while (true) {
            world.scheduler().sleep(20 * MS);
            for (SimHost host : hosts) {
                if (host == null || !host.started()) {
                    continue;
                }
                if (host.alive() && world.scheduler().nowNs() - host.petNs() > limit) {
                    world.trace(() -> "watchdog kills " + host);
                    die(host, false);
                } else if (!host.alive() && ended.remove(host) && !world.troubles().healed()) {
                    bury(host, false);
                }
            }
        }
    }

    /// Nobody stands still any more.
    void heal() {
        for (SimHost host : hosts) {
            host.pauseUntil(0);
            host.cutFromCoordination(0);
        }
    }

    /// Calls of movers that are under way.
    int movers() {
        int count = 0;
        for (SimHost host : hosts) {
            count += host.alive() ? host.moving() : 0;
        }
        return count;
    }
}
