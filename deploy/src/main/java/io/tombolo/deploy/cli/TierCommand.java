package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.deploy.report.TextTable;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `tombolo tier`.
@Command(name = "tier", description = "Show the tiers of memory of a cluster's hosts.", subcommands = TierCommand.ListTiers.class)
final class TierCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// `tombolo tier list`.
    @Command(name = "list", description = "List the tiers of all hosts: size, free, and what each VM uses.")
    static final class ListTiers implements Runnable {
        private final Services services;

        @Mixin
        private ClusterMixin cluster;

        @Mixin
        private OutputMixin output;

        ListTiers(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public void run() {
            List<HostTiers> hosts = new ArrayList<>();
            try (ClusterConnection connection = services.connect(cluster.target())) {
                for (HostStatus host : Replies
                        .expect(connection.call(new CoordinatorRequest.HostList()), Reply.HostListReply.class)
                        .hosts()) {
                    hosts.add(ask(connection, host));
                }
            }
            output.print(hosts, () -> text(hosts));
        }

        /// A host that does not answer must not hide the others.
        private static HostTiers ask(ClusterConnection connection, HostStatus host) {
            if (host.address().isEmpty()) {
                return new HostTiers(host.name(), host.state(), List.of());
            }
            try {
                return new HostTiers(host.name(), host.state(), Replies
                        .expect(connection.call(host.name(), new AgentRequest.ListTiers()), Reply.TierList.class)
                        .tiers());
            } catch (TomboloException | RemoteException e) {
                return new HostTiers(host.name(), host.state() + " " + Errors.codeOf(e), List.of());
            }
        }

        private static String text(List<HostTiers> hosts) {
            TextTable table = new TextTable("HOST", "TIER", "TYPE", "SIZE", "FREE", "USED");
            for (HostTiers host : hosts) {
                for (TierStatus tier : host.tiers()) {
                    table.row(host.host(), tier.name(), tier.type(), Units.bytes(tier.bytes()),
                            Units.bytes(tier.freeBytes()), uses(tier));
                }
                if (host.tiers().isEmpty()) {
                    table.row(host.host(), "-", "-", "-", "-", host.state());
                }
            }
            return table.text();
        }

        private static String uses(TierStatus tier) {
            return tier.uses().isEmpty()
                    ? "-"
                    : tier.uses().stream().map(use -> use.vm() + "=" + Units.bytes(use.bytes()))
                            .collect(Collectors.joining(","));
        }
    }

    /// Tiers of one host; none of one that did not answer.
    record HostTiers(String host, String state, List<TierStatus> tiers) {
        HostTiers {
            tiers = List.copyOf(tiers);
        }
    }
}
