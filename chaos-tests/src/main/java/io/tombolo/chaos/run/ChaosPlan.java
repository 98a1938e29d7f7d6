package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.ClusterPlan.NetworkKind;
import io.tombolo.chaos.nemesis.NemesisKind;
import io.tombolo.chaos.workload.WorkloadKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// One run: one workload in one cluster under these faults.
///
/// @param nemeses kinds of faults; may be empty
/// @param time    how long clients and faults are at work; starting, healing and checking come on top
/// @param seed    of operations, faults, migrations, delays
/// @param hosts   agents
/// @param network what is between the processes
/// @param folder  result folder, empty or not there
/// @param keep    whether the region is kept in the result folder
/// @param unprotected whether guests are lost with their hosts
public record ChaosPlan(WorkloadKind workload, List<NemesisKind> nemeses, Duration time, long seed, int hosts,
        NetworkKind network, Path folder, boolean keep, boolean unprotected) {
    public ChaosPlan {
        requireNonNull(workload, "workload is null");
        nemeses = List.copyOf(nemeses);
        requireNonNull(time, "time is null");
        requireNonNull(network, "network is null");
        requireNonNull(folder, "folder is null");
    }

    /// The fault that this workload is about; "" for none.
    String favourite() {
        return workload == WorkloadKind.MEMBERSHIP ? NemesisKind.MEMBERSHIP.text() : "";
    }

    /// One of several that share the time.
    ChaosPlan share(int of, Path where) {
        return new ChaosPlan(workload, nemeses, time.dividedBy(of), seed, hosts, network, where, keep, unprotected);
    }

    /// The command that does the same again.
    public String command() {
        return "./tombolo chaos --workload " + workload.text() + " --nemesis "
                + (nemeses.isEmpty() ? "none" : String.join(",", nemeses.stream().map(NemesisKind::text).toList()))
                + " --time " + time.toMillis() + "ms --seed " + seed + " --hosts " + hosts
                + (network == NetworkKind.PROXY ? "" : " --network namespaces")
                + (unprotected ? " --unprotected" : "");
    }
}
