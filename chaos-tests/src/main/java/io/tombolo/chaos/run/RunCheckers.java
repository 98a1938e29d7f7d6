package io.tombolo.chaos.run;

import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.EpochsGrow;
import io.tombolo.chaos.check.EveryKindHadAnOk;
import io.tombolo.chaos.check.NothingLeft;
import io.tombolo.chaos.check.ProtectedVmsKept;
import io.tombolo.chaos.check.RecoveryTime;
import io.tombolo.chaos.check.RegionVerified;
import io.tombolo.chaos.check.RunInterval;
import io.tombolo.chaos.check.SingleOwner;
import io.tombolo.chaos.check.SomethingWasAtStake;
import io.tombolo.chaos.check.TakeoversWithinBound;
import io.tombolo.chaos.check.TakeoversWithinBound.Takeover;
import io.tombolo.chaos.check.UnexpectedErrors;
import io.tombolo.chaos.nemesis.NemesisKind;
import io.tombolo.chaos.cluster.RunRecord;
import java.util.ArrayList;
import java.util.List;

/// The checkers of a run: those of its workload, and those that every run has.
final class RunCheckers {
    private RunCheckers() {
    }

    static List<Checker> of(RunFacts facts) {
        List<Checker> all = new ArrayList<>(facts.checkers());
        all.add(new EveryKindHadAnOk(facts.kinds()));
        all.add(new SingleOwner(facts.runs().stream().map(run -> interval(run, facts.collectedNs())).toList()));
        all.add(new EpochsGrow(facts.epochs()));
        all.add(new LapsesRenew(LogLines.lapses(facts.logs(), facts.zero()), facts.runs(), facts.collectedNs()));
        all.add(new RegionVerified(List.of(facts.region())));
        all.add(new RecoveryTime(List.of(facts.recovery())));
        all.add(new UnexpectedErrors(facts.logs(), UnexpectedErrors.DEFAULT_ERRORS, facts.allowed(),
                facts.zero()));
        all.add(new NothingLeft(NothingLeft.KINDS, facts.left()));
        all.add(new FaultsTookEffect(facts.tallies()));
        all.add(new MigrationsCompleted(facts.migrations().size(), facts.migrated()));
        RunFacts.Takeovers takeovers = facts.takeovers();
        if (takeovers.expected()) {
            all.add(new TakeoversWithinBound(takeovers.all(), takeovers.bound()));
            all.add(new SomethingWasAtStake(takeovers.all().stream().map(Takeover::ranNs).toList()));
            all.add(new ProtectedVmsKept(facts.vms().size(), takeovers.lost()));
        }
        if (facts.tallies().containsKey(NemesisKind.HALT.text())) {
            all.add(new WatchdogKills());
        }
        if (facts.damaged()) {
            all.add(new DamageRefused());
        }
        return all;
    }

    private static RunInterval interval(RunRecord run, long nowNs) {
        return new RunInterval(run.vm() + " vcpu " + run.vcpu(), run.host() + " pid " + run.pid(), run.epoch(),
                run.startNs(), run.endNs() == 0 ? nowNs : run.endNs());
    }
}
