package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.Reply;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `tombolo host`.
@Command(name = "host", description = "Show the hypervisors of a cluster, and take them out of it.", subcommands = {
        HostCommand.ListHosts.class, HostCommand.Show.class, HostMaintenance.Fence.class, HostMaintenance.Drain.class,
        HostMaintenance.Undrain.class, HostMaintenance.Remove.class})
final class HostCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// `tombolo host list`.
    @Command(name = "list", description = "List the hosts of a cluster.")
    static final class ListHosts implements Runnable {
        private final Services services;

        @Mixin
        private ClusterMixin cluster;

        @Mixin
        private OutputMixin output;

        ListHosts(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public void run() {
            List<HostStatus> hosts;
            try (ClusterConnection connection = services.connect(cluster.target())) {
                hosts = Replies.expect(connection.call(new CoordinatorRequest.HostList()), Reply.HostListReply.class)
                        .hosts();
            }
            output.print(hosts, () -> Views.hosts(hosts));
        }
    }

    /// `tombolo host show HOST`.
    @Command(name = "show", description = "Show one host.")
    static final class Show implements Runnable {
        private final Services services;

        @Parameters(paramLabel = "HOST", description = "Name of the host.")
        private String host;

        @Mixin
        private ClusterMixin cluster;

        @Mixin
        private OutputMixin output;

        Show(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public void run() {
            HostStatus status;
            try (ClusterConnection connection = services.connect(cluster.target())) {
                status = Replies.expect(connection.call(new CoordinatorRequest.HostShow(host)), Reply.HostReply.class)
                        .host();
            }
            output.print(status, () -> Views.host(status));
        }
    }
}
