package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.ClusterInfo;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `tombolo status`.
@Command(name = "status", description = "Show a cluster: its leader, hosts and VMs.")
final class StatusCommand implements Runnable {
    private final Services services;

    @Mixin
    private ClusterMixin cluster;

    @Mixin
    private OutputMixin output;

    StatusCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public void run() {
        ClusterInfo info;
        try (ClusterConnection connection = services.connect(cluster.target())) {
            info = Replies.expect(connection.call(new CoordinatorRequest.ClusterStatus()), Reply.ClusterReply.class)
                    .cluster();
        }
        output.print(info, () -> Views.cluster(info));
    }
}
