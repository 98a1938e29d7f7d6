package io.tombolo.deploy.cluster;

import io.tombolo.agent.right.Timings;
import io.tombolo.region.os.Linux;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;

/// A supervisor in a process of its own, for the test that kills it: `args` are the kind of groups, the run directory
/// and the seconds its children sleep.
final class SupervisorMain {
    private SupervisorMain() {
    }

    public static void main(String[] args) {
        Path directory = Path.of(args[1]);
        KillGroups groups = KillGroups.of(KillGroups.Kind.valueOf(args[0]), directory.getFileName().toString());
        @SuppressWarnings("resource") // it is killed, that is the test
        Supervisor supervisor = new Supervisor(directory, new Timings(100), groups, Optional.of(directory));
        for (String name : List.of("zookeeper-1", "host-a", "host-b")) {
            supervisor.start(new ProcessSpec(name, ProcessRole.AGENT,
                    List.of("/bin/sh", "-c", "sleep " + args[2] + " & exec sleep " + args[2]), Map.of(),
                    OptionalLong.empty(), Optional.of(() -> true), directory.resolve(name + ".log")));
        }
        supervisor.awaitReady(supervisor.processes(), 10_000);
        while (supervisor.process("host-b").pids().size() < 2) {
            Thread.onSpinWait();
        }
        supervisor.process("host-b").signalAll(Linux.SIGSTOP);
        System.out.println("guard " + supervisor.guardPid());
        while (true) {
            LockSupport.park();
        }
    }
}
