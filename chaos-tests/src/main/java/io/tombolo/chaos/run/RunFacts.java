package io.tombolo.chaos.run;

import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.cluster.RunInterval;
import io.tombolo.chaos.workload.GuestVms;
import io.tombolo.chaos.workload.Migrator;
import io.tombolo.chaos.workload.Workload;
import io.tombolo.deploy.cluster.StopRecord;
import java.nio.file.Path;
import java.util.List;

/// What a run left behind beside its history, collected before the cluster was stopped.
///
/// @param checkers   of the workload
/// @param recovered  whether everything worked again after it was healed
/// @param vms        all guests there were
/// @param migrations all that were asked for
/// @param runs       who executed when; times since the run began
/// @param stops      ends of processes before the cluster was stopped
/// @param logs       logs in the result folder
record RunFacts(List<Checker> checkers, boolean recovered, List<GuestVms.Guest> vms,
        List<Migrator.Migration> migrations, List<RunInterval> runs, List<StopRecord> stops, List<Path> logs) {
    static RunFacts collect(ClusterUnderTest cluster, GuestVms vms, Migrator migrator, Workload workload,
            boolean recovered, ResultFolder folder, long zeroNs) {
        List<RunInterval> runs = cluster.runs().stream()
                .map(r -> new RunInterval(r.vm(), r.vmSlot(), r.vcpu(), r.host(), r.pid(), r.epoch(),
                        r.startNs() - zeroNs, r.endNs() == 0 ? 0 : r.endNs() - zeroNs))
                .toList();
        return new RunFacts(workload.checkers(), recovered, vms.all(), migrator.migrations(), runs, cluster.stops(),
                folder.copy(cluster.logs(), "logs"));
    }

    /// Migrations that ended at their target.
    long migrated() {
        return migrations.stream().filter(m -> m.outcome().equals("COMPLETED")).count();
    }
}
