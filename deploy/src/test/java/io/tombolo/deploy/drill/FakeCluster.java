package io.tombolo.deploy.drill;

import io.tombolo.agent.AgentError;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.Reply.Migrated;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// A cluster of three hosts that hands over in 3 us, copies in 30 ms, and does nothing else. `spoil` and `spoilMove`
/// change what a hop reports, `spoilReply` what a client hears, and `lose` says whose answer does not come although the
/// guest executed it. Its guest executes 1000 instructions from look to look.
public final class FakeCluster implements DrillCluster {
    public final List<String> calls = new ArrayList<>();
    public final List<VmSpec> created = new ArrayList<>();
    public UnaryOperator<HandoffReport> spoil = UnaryOperator.identity();
    public UnaryOperator<MoveReport> spoilMove = UnaryOperator.identity();
    public final Set<MigrateMode> unavailable = EnumSet.noneOf(MigrateMode.class);
    public UnaryOperator<GuestLook> spoilLook = UnaryOperator.identity();
    public RuntimeException failure;
    public boolean failOnce;
    public int closed;
    UnaryOperator<GuestReply> spoilReply = UnaryOperator.identity();
    Predicate<GuestCall> lose = _ -> false;
    Runnable atPause = () -> {
    };
    FakeGuest guest;

    private final AtomicLong instructions = new AtomicLong();
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
        calls.add("create " + at + (spec.tier().equals("shared") ? "" : " " + spec.tier()));
        created.add(spec);
        vm = spec;
        host = at;
        guest = DrillPlan.servesClients(spec) ? new FakeGuest(spec) : null;
        return status("RUNNING");
    }

    @Override
    public Migrated migrate(String name, String toHost, MigrateMode mode) {
        calls.add((mode == MigrateMode.HANDOFF ? "migrate " : mode.text() + " ") + toHost);
        if (unavailable.contains(mode)) {
            throw TomboloException.error(CoordinatorError.MIGRATE_MODE_UNAVAILABLE, "not built").build();
        }
        if (failure != null && calls.size() > 3) {
            RuntimeException thrown = failure;
            failure = failOnce ? null : failure;
            throw thrown;
        }
        long downtimeNs = mode == MigrateMode.COPY ? 30_000_000 : 3_000;
        clockNs += 100_000_000;
        HandoffReport report = spoil.apply(new HandoffReport(name, host, toHost, epoch, 5_000_000, 500, 700, 900, 900,
                2_000_000, clockNs, clockNs + downtimeNs, downtimeNs, 352, 0, epoch, epoch + 1,
                HandoffOutcome.COMPLETED));
        if (report.outcome() == HandoffOutcome.COMPLETED) {
            host = toHost;
        }
        epoch = report.epochAfter();
        return new Migrated(report, spoilMove.apply(move(mode)), status("RUNNING"));
    }

    private MoveReport move(MigrateMode mode) {
        return switch (mode) {
            case HANDOFF -> MoveReport.handoff();
            case TRANSIT -> new MoveReport(mode, vm.pages(), vm.pages(), 2 * vm.memoryBytes(), 1_000_000, 2_000_000,
                    9_000_000);
            case COPY -> new MoveReport(mode, 0, vm.pages(), 3 * vm.memoryBytes(), 0, 4_000_000, 9_000_000);
        };
    }

    @Override
    public void moveToShared(String name) {
        calls.add("move to shared");
    }

    @Override
    public Optional<GuestLook> look(String at, String name) {
        return at.equals(host)
                ? Optional.of(spoilLook.apply(new GuestLook(instructions.addAndGet(1_000), Optional.empty())))
                : Optional.empty();
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
