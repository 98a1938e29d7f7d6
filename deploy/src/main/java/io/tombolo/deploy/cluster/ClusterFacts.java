package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import java.util.UUID;

/// A local cluster that runs, as `status` shows it and as its file keeps it.
///
/// @param run unique name of this run; the kill groups and the run directory carry it
/// @param supervisorPid process that owns everything
/// @param cgroup parent cgroup of the run; empty if its kill groups are sessions
/// @param directory configurations and logs
/// @param runDirectory region and sockets, in memory
/// @param up every process has been ready once
public record ClusterFacts(String name, UUID uuid, String run, long supervisorPid, String cgroup, String zookeeper,
        String root, String region, String directory, String runDirectory, int baseMs, boolean up,
        List<ProcessFacts> processes) {
    public ClusterFacts {
        requireNonNull(name, "name is null");
        requireNonNull(uuid, "uuid is null");
        requireNonNull(run, "run is null");
        requireNonNull(cgroup, "cgroup is null");
        requireNonNull(zookeeper, "zookeeper is null");
        requireNonNull(root, "root is null");
        requireNonNull(region, "region is null");
        requireNonNull(directory, "directory is null");
        requireNonNull(runDirectory, "runDirectory is null");
        processes = List.copyOf(processes);
    }

    /// One process. `pids` are all of its kill group; `declared` is what it says of itself.
    public record ProcessFacts(String name, ProcessRole role, long pid, ProcessState state, int start, List<Long> pids,
            String log, Map<String, String> declared) {
        public ProcessFacts {
            requireNonNull(name, "name is null");
            requireNonNull(role, "role is null");
            requireNonNull(state, "state is null");
            pids = List.copyOf(pids);
            requireNonNull(log, "log is null");
            declared = Map.copyOf(declared);
        }
    }
}
