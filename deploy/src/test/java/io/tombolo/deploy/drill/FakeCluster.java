package io.tombolo.deploy.drill;

import io.tombolo.agent.AgentError;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// A cluster of three hosts that hands over in 3 us and does nothing else. `spoil` changes what a hop reports,
/// `spoilReply` what a client hears, and `lose` says whose answer does not come although the guest executed it.
public final class FakeCluster implements DrillCluster {
    public final List<String> calls = new ArrayList<>();
    public UnaryOperator<HandoffReport> spoil = UnaryOperator.identity();
    public RuntimeException failure;
    public boolean failOnce;
    public int closed;
    UnaryOperator<GuestReply> spoilReply = UnaryOperator.identity();
    Predicate<GuestCall> lose = _ -> false;
    Runnable atPause = () -> {
    };
    FakeGuest guest;

    private VmSpec vm;
    private volatile String host = "";
    private long epoch = 1;
    private long clockNs = 1_000_000;

    @Override
    public List<String> hosts() {
        return List.of("h1", "h2", "h3");
    }

    @Override
    public Path region() {
        return Path.of("/nowhere/region");
    }

    @Override
    public VmStatus create(VmSpec spec, String at) {
        calls.add("create " + at);
        vm = spec;
        host = at;
        guest = DrillPlan.servesClients(spec) ? new FakeGuest(spec) : null;
        return status("RUNNING");
    }

    @Override
    public HandoffReport migrate(String name, String toHost) {
        calls.add("migrate " + toHost);
        if (failure != null && calls.size() > 3) {
            RuntimeException thrown = failure;
            failure = failOnce ? null : failure;
            throw thrown;
        }
        clockNs += 1_000_000;
        HandoffReport report = spoil.apply(new HandoffReport(name, host, toHost, epoch, 5_000_000, 500, 700, 900, 900,
                2_000_000, clockNs, clockNs + 3_000, 3_000, 352, 0, epoch, epoch + 1, HandoffOutcome.COMPLETED));
        if (report.outcome() == HandoffOutcome.COMPLETED) {
            host = toHost;
        }
        epoch = report.epochAfter();
        return report;
    }

    @Override
    public VmStatus pause(String name) {
        calls.add("pause");
        atPause.run();
        return status("PAUSED");
    }

    @Override
    public VmStatus show(String name) {
        return status("RUNNING");
    }

    @Override
    public Path console(String name, String at) {
        return Path.of("/nowhere", at, name);
    }

    @Override
    public List<InputEntry> inputLog(String name) {
        return List.of();
    }

    @Override
    public GuestReply call(String at, GuestCall call) {
        if (!at.equals(host)) {
            throw TomboloException.error(AgentError.VM_NOT_ON_HOST, "not here").build();
        }
        GuestReply reply = guest.call(call);
        if (lose.test(call)) {
            throw TomboloException.error(CoordinatorError.RPC_TIMEOUT, "lost").build();
        }
        return spoilReply.apply(reply);
    }

    @Override
    public void destroy(String name) {
        calls.add("destroy");
    }

    @Override
    public String describe() {
        return "fake";
    }

    @Override
    public void close() {
        closed++;
        if (guest != null) {
            guest.close();
        }
    }

    private VmStatus status(String state) {
        return new VmStatus(vm, 0, state, host, epoch, List.of(1_000L), "");
    }
}
