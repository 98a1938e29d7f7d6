package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/// What the supervisor starts.
///
/// @param name unique among the supervisor's processes: `host-a`, `coordinator-1`, `zookeeper-1`
/// @param command the program and its arguments
/// @param environment set on top of the supervisor's own
/// @param watchdogNs W; empty for a process that is not watched
/// @param readiness asked until true; empty for a process that says READY=1 itself
/// @param log file that gets standard output and error, appended
public record ProcessSpec(String name, ProcessRole role, List<String> command, Map<String, String> environment,
        OptionalLong watchdogNs, Optional<BooleanSupplier> readiness, Path log) {
    public ProcessSpec {
        requireNonNull(name, "name is null");
        requireNonNull(role, "role is null");
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
        requireNonNull(watchdogNs, "watchdogNs is null");
        requireNonNull(readiness, "readiness is null");
        requireNonNull(log, "log is null");
        if (!name.matches("[a-z0-9][a-z0-9-]{0,62}")) {
            throw new IllegalArgumentException("not a process name: " + name);
        }
    }
}
