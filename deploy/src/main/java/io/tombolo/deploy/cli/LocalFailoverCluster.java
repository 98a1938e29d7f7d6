package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.Reply.TakeoverState;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.cluster.ClusterError;
import io.tombolo.deploy.cluster.ClusterPlaces;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.Clusters;
import io.tombolo.deploy.cluster.JavaPrograms;
import io.tombolo.deploy.cluster.LocalCluster;
import io.tombolo.deploy.cluster.ProcessRole;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.RelayNetwork;
import io.tombolo.deploy.cluster.SupervisedProcess;
import io.tombolo.deploy.drill.DrillCluster;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.FailoverCluster;
import io.tombolo.deploy.drill.FailoverPlan;
import io.tombolo.deploy.drill.FailureKind;
import io.tombolo.region.HostState;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/// A failover drill's cluster of real processes on this machine, with a relay between each agent and ZooKeeper. Its
/// supervisor is this process, so that nothing stays whatever happens to the drill.
final class LocalFailoverCluster implements FailoverCluster {
    /// A client that asked a host which stands still must soon ask the next.
    private static final long CLIENT_MS = 100;
    private static final long LOOK_NS = 50_000_000L;
    private static final long NS_PER_MS = 1_000_000L;
    private static final int SPARE_VM_SLOTS = 28;
    private static final long HEAL_STARTS = 3;
    /// The agent has not noticed the takeover's end yet.
    private static final Set<String> UNDER_WAY = Set.of("WAITING", "RECOVERING", "RESTORING");

    private final LocalCluster cluster;
    private final LocalDrillCluster drill;
    private final RelayNetwork network;
    private final FailoverPlan plan;

    private LocalFailoverCluster(LocalCluster cluster, LocalDrillCluster drill, RelayNetwork network,
            FailoverPlan plan) {
        this.cluster = cluster;
        this.drill = drill;
        this.network = network;
        this.plan = plan;
    }

    /// Starts the processes and waits until they are ready.
    static LocalFailoverCluster start(FailoverPlan plan, ClusterPlaces places, DrillProgress progress) {
        requireNonNull(plan, "plan is null");
        String prefix = "failover-";
        ClusterSpec spec = ClusterSpec.of(prefix + ProcessHandle.current().pid(), plan.regionBytes())
                .withHosts(ClusterSpec.hostNames(plan.hosts())).withDrivers(List.of(plan.vm().driver()))
                .withBaseMs(plan.baseMs()).withLocalTierBytes(0)
                .withMaxVmsPerHost(Math.max(plan.coldStart(), ClusterSpec.of(prefix, plan.regionBytes())
                        .maxVmsPerHost()));
        Clusters.removeDead(prefix, places);
        RelayNetwork network = new RelayNetwork();
        LocalCluster running = null;
        try {
            running = LocalCluster.start(spec, places, JavaPrograms.standard(), network,
                    format -> plan.coldStart() == 0 ? format : format.withVmSlots(plan.coldStart() + SPARE_VM_SLOTS),
                    progress::step);
            return new LocalFailoverCluster(running, LocalDrillCluster.of(running, progress, CLIENT_MS), network, plan);
        } catch (TomboloException e) {
            if (running != null) {
                running.close();
            }
            network.close();
            throw e;
        }
    }

    @Override
    public DrillCluster drill() {
        return drill;
    }

    @Override
    public void fail(String host, FailureKind kind) {
        switch (kind) {
            case KILL -> cluster.signal(host, Linux.SIGKILL);
            case STOP -> cluster.signalGroup(host, Linux.SIGSTOP);
            case PARTITION -> network.cut(host);
        }
    }

    @Override
    public List<String> restartOthers(String failed) {
        List<String> restarted = new ArrayList<>();
        for (String host : drill.hosts()) {
            SupervisedProcess process = cluster.process(host);
            if (!host.equals(failed) && process.state() == ProcessState.STOPPED) {
                restarted.add(host + " " + process.awaitStopped(plan.timings().startTimeoutMs()).reason());
                cluster.supervisor().restart(host);
            }
        }
        return restarted;
    }

    @Override
    public void heal(String host) {
        network.heal(host);
        long limitNs = HEAL_STARTS * plan.timings().startTimeoutMs() * NS_PER_MS;
        await(limitNs, "the host did not come back", host, _ -> {
            var _ = restartOthers("");
            List<HostStatus> hosts = drill.hostStatus();
            return drill.hosts().stream().allMatch(name -> cluster.process(name).state() == ProcessState.READY
                    && hosts.stream().anyMatch(one -> one.name().equals(name) && isLive(one)));
        });
    }

    private static boolean isLive(HostStatus host) {
        return host.state().startsWith(HostState.LIVE.name()) && !host.address().isEmpty();
    }

    @Override
    public TakeoverState takeover(String host, int vmSlot) {
        TakeoverState[] state = new TakeoverState[1];
        await(plan.timings().requestTimeoutMs() * NS_PER_MS, "the takeover does not end", host, _ -> {
            state[0] = drill.ask(host, new AgentRequest.AskTakeover(vmSlot), TakeoverState.class);
            return !UNDER_WAY.contains(state[0].phase());
        });
        return state[0];
    }

    private void await(long limitNs, String what, String host, Predicate<String> condition) {
        long fromNs = System.nanoTime();
        while (!condition.test(host)) {
            if (System.nanoTime() - fromNs > limitNs) {
                throw TomboloException.error(DeployError.TAKEOVER_NOT_SEEN, what).fact("host", host)
                        .fact("process", cluster.process(host).state())
                        .fact("lastWords", cluster.process(host).logTail()).next("repeat the drill").build();
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    @Override
    public String explain(String vm) {
        return drill.takeovers().stream().filter(report -> report.vm().equals(vm)).reduce((_, last) -> last)
                .map(report -> report.phase() + " to " + report.toHost() + " " + report.reason() + " " + report.text()
                        + (report.inDoubt().isEmpty() ? "" : ", waits for " + report.inDoubt()))
                .orElse("no takeover was begun");
    }

    @Override
    public Path saveLogs() {
        Path target = Path.of(cluster.facts().directory()).resolveSibling(cluster.spec().name() + "-logs");
        try {
            Files.createDirectories(target);
            for (SupervisedProcess process : cluster.supervisor().processes()) {
                Path log = process.spec().log();
                Files.copy(log, target.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw TomboloException.error(ClusterError.CLUSTER_FILES, "the logs cannot be copied")
                    .fact("directory", target).fact("cause", e).next("check the state directory").cause(e).build();
        }
        return target;
    }

    @Override
    public List<VmStatus> list() {
        return drill.list();
    }

    private List<SupervisedProcess> members() {
        return cluster.supervisor().processes().stream().filter(p -> p.spec().role() != ProcessRole.ZOOKEEPER)
                .toList();
    }

    @Override
    public void killAll() {
        List<SupervisedProcess> all = members();
        all.forEach(process -> process.signalMain(Linux.SIGKILL));
        all.forEach(process -> process.awaitStopped(plan.timings().startTimeoutMs()));
    }

    @Override
    public void startAll() {
        members().forEach(process -> cluster.supervisor().restart(process.name()));
    }

    @Override
    public void close() {
        try {
            drill.close();
        } finally {
            network.close();
        }
    }
}
