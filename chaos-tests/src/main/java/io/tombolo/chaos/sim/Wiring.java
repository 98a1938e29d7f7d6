package io.tombolo.chaos.sim;

import io.tombolo.coordinator.zk.ZkPort;

/// Where tests put a mistake into a world that has none: the memory port that a host gets, and what its parts are
/// told. In production it is [#SOUND].
class Wiring {
    static final Wiring SOUND = new Wiring();

    HostMemory memory(World world, SimProcess process) {
        return new HostMemory(world, process);
    }

    /// Whether vCPUs tell movers which entries they have seen.
    boolean vcpusTell() {
        return true;
    }

    /// Whether an operation of a coordinator's transaction is sent.
    boolean sends(ZkPort.Change change) {
        return true;
    }

    /// Whether a supervisor waits for the end of a process before it says that it has stopped.
    boolean reapsFirst() {
        return true;
    }
}
