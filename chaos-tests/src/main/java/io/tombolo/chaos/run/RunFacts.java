package io.tombolo.chaos.run;

import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.EpochSeen;
import io.tombolo.chaos.check.UnexpectedErrors.Allowed;
import io.tombolo.chaos.check.RecoveryTime.Recovery;
import io.tombolo.chaos.check.RegionVerified.VerifiedRegion;
import io.tombolo.chaos.check.TakeoversWithinBound;
import io.tombolo.chaos.cluster.RunRecord;
import io.tombolo.chaos.nemesis.Nemeses.Tally;
import io.tombolo.chaos.workload.GuestVms;
import io.tombolo.chaos.workload.Migrator;
import io.tombolo.deploy.cluster.StopRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a run left behind beside its history. Times are nanoseconds since the run began.
///
/// @param checkers    of the workload
/// @param kinds       of operations
/// @param recovery    from healing until everything worked again
/// @param vms         all guests there were
/// @param migrations  all that were asked for
/// @param runs        who executed when; an end of 0 for what executed when this was collected
/// @param epochs      owner words that were seen
/// @param region      what verify said
/// @param stops       ends of processes before the cluster was stopped, in CLOCK_BOOTTIME
/// @param zeroBootNs  when the run began, in CLOCK_BOOTTIME
/// @param logs        logs in the result folder
/// @param allowed     errors in logs that the faults of the run explain
/// @param zero        the wall clock's time at which the run began, to which the logs' times are set against
/// @param tallies     how often each kind of fault was begun and took effect
/// @param damaged     whether the region was damaged on purpose
/// @param collectedNs when
/// @param left        what was there after the cluster was stopped
/// @param takeovers   what became of VMs whose host failed
record RunFacts(List<Checker> checkers, Set<String> kinds, Recovery recovery, List<GuestVms.Guest> vms,
        List<Migrator.Migration> migrations, List<RunRecord> runs, List<EpochSeen> epochs, VerifiedRegion region,
        List<StopRecord> stops, long zeroBootNs, List<Path> logs, List<Allowed> allowed, Instant zero,
        Map<String, Tally> tallies, boolean damaged, long collectedNs, List<String> left, Takeovers takeovers) {
    /// Takeovers of a run.
    ///
    /// @param expected whether the guests were protected
    /// @param lost     guests that were given up, and why
    record Takeovers(boolean expected, List<TakeoversWithinBound.Takeover> all, Duration bound, List<String> lost) {
    }

    RunFacts withLeft(List<String> found) {
        return new RunFacts(checkers, kinds, recovery, vms, migrations, runs, epochs, region, stops, zeroBootNs, logs,
                allowed, zero, tallies, damaged, collectedNs, found, takeovers);
    }

    /// Migrations that ended at their target.
    long migrated() {
        return migrations.stream().filter(m -> m.outcome().equals("COMPLETED")).count();
    }
}
