package io.tombolo.chaos.run;

import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.EpochsGrow;
import io.tombolo.chaos.check.EveryKindHadAnOk;
import io.tombolo.chaos.check.NothingLeft;
import io.tombolo.chaos.check.RecoveryTime;
import io.tombolo.chaos.check.RegionVerified;
import io.tombolo.chaos.check.RunInterval;
import io.tombolo.chaos.check.SingleOwner;
import io.tombolo.chaos.check.UnexpectedErrors;
import io.tombolo.chaos.cluster.RunRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// The checkers of a run: those of its workload, and those that every run has.
final class RunCheckers {
    /// What logs say while processes are killed, stopped and cut off, and is no surprise. Each with whose line it is.
    static final List<Pattern> ALLOWED = List.of(
            // ZooKeeper: peers and clients that go away, elections, a leader without a quorum.
            Pattern.compile(" ERROR (Learner|LearnerHandler|Leader|Follower|QuorumCnxManager|QuorumPeer|NIOServerCnxn"
                    + "|ZooKeeperServer|ClientCnxn|FastLeaderElection|LearnerMaster|SyncRequestProcessor"
                    + "|Util|FileTxnSnapLog|ZooKeeperCriticalThread|ZooKeeperServerListenerImpl|ServerCnxnFactory) "),
            // Curator: a connection that was lost, and operations that were under way then.
            Pattern.compile(" ERROR (CuratorFrameworkImpl|ConnectionState|LeaderLatch|ServiceCache|TreeCache"
                    + "|CuratorCacheImpl|ThreadUtils) "),
            // An agent says why its incarnation ended: fenced, cut off, its supervisor's word, its own orderly end.
            Pattern.compile(" ERROR Agent(Main)? .*(the incarnation ended|this incarnation ends): "));

    private RunCheckers() {
    }

    static List<Checker> of(RunFacts facts) {
        List<Checker> all = new ArrayList<>(facts.checkers());
        all.add(new EveryKindHadAnOk(facts.kinds()));
        all.add(new SingleOwner(facts.runs().stream().map(run -> interval(run, facts.collectedNs())).toList()));
        all.add(new EpochsGrow(facts.epochs()));
        all.add(new RegionVerified(List.of(facts.region())));
        all.add(new RecoveryTime(List.of(facts.recovery())));
        all.add(new UnexpectedErrors(facts.logs(), UnexpectedErrors.DEFAULT_ERRORS, facts.allowed()));
        all.add(new NothingLeft(NothingLeft.KINDS, facts.left()));
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
