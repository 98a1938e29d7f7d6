package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.report.FailoverReport.ColdStart;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.CommitWord;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.VmSlot;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// Many protected VMs, then all agents and coordinators killed and started again: how long until every VM runs again,
/// and whether it goes on from its last commit. Run once, by one thread.
final class ColdStartRun {
    /// Commits are made meanwhile.
    private static final long RUN_NS = 1_000_000_000L;
    private static final long LOOK_NS = 1_000_000L;
    private static final int STARTS = 2;

    private final FailoverPlan plan;
    private final FailoverCluster cluster;
    private final Region region;
    private final DrillProgress progress;
    private final LongSupplier nowNs;

    /// A VM when everything was dead.
    private record Before(String name, int slot, long epoch, long interval) {
    }

    ColdStartRun(FailoverPlan plan, FailoverCluster cluster, Region region, DrillProgress progress,
            LongSupplier nowNs) {
        this.plan = requireNonNull(plan, "plan is null");
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.region = requireNonNull(region, "region is null");
        this.progress = requireNonNull(progress, "progress is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
    }

    ColdStart run() {
        List<VmStatus> created = create();
        LockSupport.parkNanos(this, RUN_NS);
        progress.step("killing all agents and coordinators");
        cluster.killAll();
        List<Before> before = created.stream().map(vm -> {
            VmSlot slot = region.vm(vm.slot());
            return new Before(vm.spec().name(), vm.slot(), OwnerWord.epoch(slot.ownerAcquire()),
                    CommitWord.interval(slot.commitAcquire()));
        }).toList();
        progress.step("starting them again");
        long fromNs = nowNs.getAsLong();
        cluster.startAll();
        long limitNs = STARTS * (long) plan.timings().startTimeoutMs() * 1_000_000L
                + plan.coldStart() * plan.formula().totalNs() / plan.hosts();
        long firstNs = 0;
        List<Before> waiting = new ArrayList<>(before);
        while (!waiting.isEmpty() && nowNs.getAsLong() - fromNs < limitNs) {
            int left = waiting.size();
            waiting.removeIf(this::runsAgain);
            if (firstNs == 0 && waiting.size() < before.size()) {
                firstNs = nowNs.getAsLong() - fromNs;
            }
            if (waiting.size() != left) {
                progress.count(before.size() - waiting.size(), before.size(), "VMs run again after "
                        + Units.nanos(nowNs.getAsLong() - fromNs));
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
        long allNs = nowNs.getAsLong() - fromNs;
        List<String> not = waiting.isEmpty() ? List.of() : reasons(waiting);
        if (waiting.isEmpty()) {
            progress.step("destroying them");
            created.forEach(vm -> cluster.drill().destroy(vm.spec().name()));
        }
        return new ColdStart(before.size(), before.size() - waiting.size(), firstNs, allNs, not);
    }

    private List<VmStatus> create() {
        List<String> hosts = cluster.drill().hosts();
        progress.step("creating " + plan.coldStart() + " protected VMs with " + Units.bytes(plan.vm().memoryBytes()));
        List<VmStatus> created = new ArrayList<>();
        for (int i = 0; i < plan.coldStart(); i++) {
            VmSpec vm = plan.vm();
            VmSpec one = new VmSpec(vm.name() + "-" + (i + 1), UUID.randomUUID(), vm.driver(), vm.memoryBytes(),
                    vm.vcpus(), vm.program(), vm.workingSetBytes(), vm.pattern(), vm.seed() + i)
                    .withProtection(vm.checkpointUs());
            created.add(cluster.drill().create(one, hosts.get(i % hosts.size())));
            progress.count(i + 1L, plan.coldStart(), one.name());
        }
        return created;
    }

    /// RUNNING by another right than before, at a host that lives, from the interval after the one that was rolled
    /// back.
    private boolean runsAgain(Before before) {
        VmSlot slot = region.vm(before.slot());
        long owner = slot.ownerAcquire();
        return OwnerWord.is(owner, OwnerState.RUNNING) && OwnerWord.epoch(owner) > before.epoch()
                && SlotWord.state(region.host(OwnerWord.slot(owner)).wordAcquire()) == HostState.LIVE
                && CommitWord.interval(slot.commitAcquire()) >= before.interval() + 2;
    }

    private List<String> reasons(List<Before> waiting) {
        List<VmStatus> all = cluster.list();
        return waiting.stream().map(one -> all.stream().filter(vm -> vm.spec().name().equals(one.name())).findFirst()
                .map(vm -> vm.spec().name() + " is " + vm.ownerState() + " " + vm.reason())
                .orElse(one.name() + " is not known")).toList();
    }
}
