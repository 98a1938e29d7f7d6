package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `tombolo cluster`.
@Command(name = "cluster", description = "Look at a cluster's takeovers, and mend what ZooKeeper says of it.", subcommands = {
        ClusterCommand.Takeovers.class, ClusterCommand.Reconcile.class})
final class ClusterCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// `tombolo cluster takeovers`.
    @Command(name = "takeovers", description = "List the takeovers since the present coordinator leads, those under way too.")
    static final class Takeovers implements Runnable {
        private final Services services;

        @Mixin
        private ClusterMixin cluster;

        @Mixin
        private OutputMixin output;

        Takeovers(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public void run() {
            List<TakeoverReport> reports;
            try (ClusterConnection connection = services.connect(cluster.target())) {
                reports = Replies.expect(connection.call(new CoordinatorRequest.Takeovers()), Reply.TakeoverList.class)
                        .takeovers();
            }
            output.print(reports, () -> TakeoverViews.takeovers(reports));
        }
    }

    /// `tombolo cluster reconcile`.
    @Command(name = "reconcile", description = {
            "Bring ZooKeeper into line with the region, after ZooKeeper was wiped or restored from an old backup.",
            "The region is not changed. What nobody can describe is named, and stays."})
    static final class Reconcile implements Runnable {
        private final Services services;

        @Mixin
        private ClusterMixin cluster;

        @Mixin
        private OutputMixin output;

        Reconcile(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public void run() {
            Reply.Reconciled done;
            try (ClusterConnection connection = services.connect(cluster.target())) {
                done = Replies.expect(connection.call(new CoordinatorRequest.Reconcile()), Reply.Reconciled.class);
            }
            output.print(done, () -> TakeoverViews.reconciled(done));
        }
    }
}
