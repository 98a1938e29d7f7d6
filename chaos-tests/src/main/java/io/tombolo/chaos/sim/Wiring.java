package io.tombolo.chaos.sim;

/// Where tests put a mistake into a world that has none: the memory port that a host gets, and what its parts are
/// told. In production it is [#SOUND].
class Wiring {
    static final Wiring SOUND = new Wiring();

    HostMemory memory(World world, SimHost host) {
        return new HostMemory(world, host);
    }
}
