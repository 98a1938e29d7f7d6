package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.ClusterInfo;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.cluster.ClusterFacts;
import java.util.LinkedHashMap;
import java.util.Map;
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
        ClusterTarget target = cluster.target();
        ClusterFacts processes = target.isLocal() ? services.local(target.cluster()) : null;
        ClusterInfo info;
        try (ClusterConnection connection = services.connect(target)) {
            info = Replies.expect(connection.call(new CoordinatorRequest.ClusterStatus()), Reply.ClusterReply.class)
                    .cluster();
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("cluster", info);
        if (processes != null) {
            all.put("processes", processes.processes());
        }
        output.print(all, () -> Views.cluster(info) + (processes == null ? "" : "\n" + Views.local(processes)));
    }
}
