package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.region.TomboloException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `tombolo vm migrate VM --to HOST`, and `--cancel`.
@Command(name = "migrate", description = {"Move a running VM to another host.",
        "handoff: its pages are in shared memory and stay there; nothing is copied.",
        "transit: pages in the host's own memory go to shared memory, the VM is handed over, and they go to the new"
                + " host's own memory; the guest runs all the time.",
        "copy: pages in the host's own memory are sent to the new host's agent in rounds while the guest runs, and the"
                + " rest while it stands still.",
        "Ctrl-C cancels the migration; the VM runs on wherever it is by then."})
final class VmMigrateCommand implements Runnable {
    /// Pages in both directions, when no limit is given, and then what any request may take.
    private static final long LONGEST_MS = TimeUnit.HOURS.toMillis(1) + ClusterConnection.REQUEST_MS;

    private final Services services;

    @Parameters(paramLabel = "VM", description = "Name of the VM.")
    private String vm;

    @ArgGroup(multiplicity = "1")
    private Action action;

    @Option(names = "--mode", paramLabel = "MODE", defaultValue = "handoff", description = "handoff, transit or copy (${DEFAULT-VALUE}).")
    private String mode;

    @Option(names = "--move-timeout", paramLabel = "DURATION", converter = DurationConverter.class, description = "Longest time for the pages, in each direction (30m; copy: 60s for its rounds).")
    private Long moveTimeoutNs;

    @Option(names = "--downtime-limit", paramLabel = "DURATION", converter = DurationConverter.class, description = "Mode copy: the guest is stopped when the rest can be sent in this time (300ms).")
    private Long downtimeLimitNs;

    @Mixin
    private ClusterMixin cluster;

    @Mixin
    private OutputMixin output;

    /// Where to, or not at all.
    static final class Action {
        @Option(names = "--to", paramLabel = "HOST", description = "Name of the target host.")
        private String to;

        @Option(names = "--cancel", description = "Cancel the migration of this VM that is under way.")
        private boolean cancel;
    }

    VmMigrateCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public void run() {
        if (action.cancel) {
            Reply.MigrateCancelled answer;
            try (ClusterConnection connection = services.connect(cluster.target())) {
                answer = cancel(connection);
            }
            output.print(Map.of("vm", vm, "cancelled", answer.cancelled(), "phase", answer.phase().text(), "host",
                    answer.vm().ownerHost()), () -> text(answer) + "\n");
            return;
        }
        MigrateMode how = MigrateMode.ofText(mode)
                .orElseThrow(() -> Options.invalid("--mode", mode, "handoff, transit, copy"));
        int timeoutMs = moveTimeoutNs == null ? 0 : Math.max(1, Options.wholeMs(moveTimeoutNs));
        int downtimeMs = downtimeLimitNs == null ? 0 : Math.max(1, Options.wholeMs(downtimeLimitNs));
        Reply.Migrated migrated;
        Thread interrupted = Thread.ofPlatform().name("migrate-cancel").unstarted(this::cancelAtCtrlC);
        Runtime.getRuntime().addShutdownHook(interrupted);
        try (ClusterConnection connection = services.connect(cluster.target())) {
            migrated = migrate(connection, new CoordinatorRequest.VmMigrate(vm, action.to, how, timeoutMs, downtimeMs));
        } finally {
            forget(interrupted);
        }
        print(migrated);
    }

    private Reply.Migrated migrate(ClusterConnection connection, CoordinatorRequest.VmMigrate request) {
        if (request.mode() == MigrateMode.HANDOFF) {
            // Over before anybody could read a progress.
            return Replies.expect(connection.call(request), Reply.Migrated.class);
        }
        long timeoutMs = request.moveTimeoutMs() == 0
                ? LONGEST_MS
                : 2L * request.moveTimeoutMs() + ClusterConnection.REQUEST_MS;
        try (DrillProgress progress = Progress.to(output.err(), "pages")) {
            return new MigrationWatch(connection, progress).run(request, timeoutMs);
        }
    }

    private void print(Reply.Migrated migrated) {
        if (output.isJson()) {
            ObjectMapper mapper = new ObjectMapper();
            ObjectNode json = mapper.valueToTree(migrated.report());
            json.set("move", mapper.valueToTree(migrated.move()));
            output.print(json, () -> "");
        } else {
            output.print(migrated, () -> Views.migrated(migrated.report(), migrated.move()));
        }
    }

    private Reply.MigrateCancelled cancel(ClusterConnection connection) {
        return Replies.expect(connection.call(new CoordinatorRequest.VmMigrateCancel(vm)),
                Reply.MigrateCancelled.class);
    }

    private static String text(Reply.MigrateCancelled answer) {
        return (answer.cancelled() ? "cancelled in phase " + answer.phase().text() : "too late to cancel") + "; "
                + answer.vm().spec().name() + " runs on " + answer.vm().ownerHost();
    }

    /// Runs while the JVM ends; the thread of the command is still waiting for its own answer.
    private void cancelAtCtrlC() {
        String line;
        try (ClusterConnection connection = services.connect(cluster.target())) {
            line = text(cancel(connection));
        } catch (TomboloException e) {
            line = e.getMessage();
        }
        output.err().println(line);
        output.err().flush();
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending and the hook does its work.
            return;
        }
    }
}
