package io.tombolo.deploy.report;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Clients;
import io.tombolo.deploy.report.DrillReport.Guest;
import io.tombolo.deploy.report.DrillReport.HostFacts;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/// Everything that one failover drill found out; what its report.json holds and its report.html shows. The keys are
/// stable, docs/report.md describes them. Durations are nanoseconds, sizes bytes.
///
/// @param failover         always true: which kind of report this is
/// @param vmBytes          guest memory
/// @param checkpointUs     longest time between two commits
/// @param failures         every failure in order
/// @param byKind           the same summed up, by kind
/// @param formulaNs        the worst case that every `rtoNs` is held against
/// @param formula          its terms
/// @param lostAcknowledged operations that were acknowledged and that the guest does not know at the end, or whose
///                         effect contradicts what a client was told
/// @param doubleOwners     takeovers in which the VM ran elsewhere before its host was confirmed stopped, and overlaps
///                         of stays
/// @param pagesRolledBack  pages of open intervals that were pointed back, of all failures
/// @param framesLeaked     frames that belong to nothing after the VM was destroyed
/// @param regionFindings   everything else that `region verify` found
/// @param clients          what clients saw; absent when there were none
/// @param coldStart        all hosts and coordinators killed and started again; absent unless asked for
/// @param vm               what the guest was
/// @param seed             seed of everything random in it
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FailoverReport(boolean failover, long vmBytes, int checkpointUs, List<Failure> failures,
        List<Kind> byKind, long formulaNs, List<TakeoverFormula.Term> formula, long lostAcknowledged, int doubleOwners,
        long pagesRolledBack, long framesLeaked, long regionFindings, Clients clients, ColdStart coldStart, Guest vm,
        long seed, String startedAt, long elapsedMs, Map<String, String> versions, HostFacts host, List<Check> checks,
        boolean passed) {
    public FailoverReport {
        failures = List.copyOf(failures);
        byKind = List.copyOf(byKind);
        formula = List.copyOf(formula);
        requireNonNull(vm, "vm is null");
        requireNonNull(startedAt, "startedAt is null");
        requireNonNull(versions, "versions is null");
        requireNonNull(host, "host is null");
        checks = List.copyOf(checks);
    }

    /// One failure and its takeover.
    ///
    /// @param number             from 1
    /// @param kind               `kill`, `stop`, `partition`
    /// @param rtoNs              failure until the VM ran elsewhere: what the formula bounds
    /// @param confirmedStoppedNs failure until the failed host was confirmed stopped
    /// @param answeredNs         failure until the first answer to a client by the new host
    /// @param phases             the parts of `answeredNs`, in the order of time
    /// @param boundPerActual     formula / rtoNs
    /// @param afterConfirmedNs   the host confirmed stopped and the VM taken, whichever came later, until it ran
    /// @param pagesRolledBack    pages of the open interval that were pointed back
    /// @param acknowledgedBefore operations that were answered in the last 100 ms before the failure
    /// @param unanswered         operations that were on their way at the failure
    /// @param longestGapNs       longest time without an answer to a client around this failure
    /// @param otherStops         other hosts that ended meanwhile, and why: then it was not one failure at a time, and
    ///                           the formula says nothing
    public record Failure(int number, String kind, String from, String to, long epoch, long rtoNs,
            long confirmedStoppedNs, long answeredNs, Phases phases, double boundPerActual, long afterConfirmedNs,
            long pagesRolledBack, long acknowledgedBefore, int unanswered, long longestGapNs,
            List<String> otherStops) {
        public Failure {
            otherStops = List.copyOf(otherStops);
            requireNonNull(kind, "kind is null");
            requireNonNull(from, "from is null");
            requireNonNull(to, "to is null");
            requireNonNull(phases, "phases is null");
        }
    }

    /// The parts of one takeover. They follow each other and sum up to the time until the first answer; one that was
    /// over before it was its turn is 0.
    ///
    /// @param detectNs  failure until the slot word of the host left LIVE
    /// @param confirmNs from there until it was confirmed stopped
    /// @param takeNs    from there until the owner word named another host
    /// @param recoverNs from there until memory was as at the last commit
    /// @param resumeNs  from there until the VM ran
    /// @param answerNs  from there until the first answer to a client
    public record Phases(long detectNs, long confirmNs, long takeNs, long recoverNs, long resumeNs, long answerNs) {
    }

    /// All failures of one kind.
    public record Kind(String kind, int failures, Statistics rtoNs, Statistics confirmedStoppedNs,
            Statistics afterConfirmedNs, Statistics answeredNs, double boundPerActual) {
    }

    /// Everything killed and started again.
    ///
    /// @param vms       protected VMs that ran before
    /// @param running   of those, that ran again
    /// @param startNs   from the start of the first process until the first VM ran
    /// @param allNs     until all ran
    /// @param notRunning names and reasons of those that do not
    public record ColdStart(int vms, int running, long startNs, long allNs, List<String> notRunning) {
        public ColdStart {
            notRunning = List.copyOf(notRunning);
        }
    }

    /// Statistics of one figure over failures.
    public static Statistics of(List<Failure> failures, ToLongFunction<Failure> figure) {
        return Statistics.of(failures.stream().mapToLong(figure).toArray());
    }
}
