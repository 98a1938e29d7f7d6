package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What takes a host out of a cluster and back: `tombolo host fence`, `drain`, `undrain`, `remove`.
final class HostMaintenance {
    private HostMaintenance() {
    }

    /// One host, a cluster to ask and a way to print.
    abstract static class Base implements Runnable {
        @Parameters(paramLabel = "HOST", description = "Name of the host.")
        String host;

        @Mixin
        ClusterMixin cluster;

        @Mixin
        OutputMixin output;

        private final Services services;

        Base(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        <T extends Reply> T call(CoordinatorRequest request, Class<T> type) {
            try (ClusterConnection connection = services.connect(cluster.target())) {
                return Replies.expect(connection.call(request), type);
            }
        }
    }

    /// `tombolo host fence HOST`.
    @Command(name = "fence", description = {"Take a host's right to run VMs away for good; its VMs go on elsewhere.",
            "Its agent stops them as soon as it sees that, and its fence agents are run. A VM goes on elsewhere when"
                    + " the host is confirmed stopped."})
    static final class Fence extends Base {
        @Option(names = "--i-know-host-is-dead", paramLabel = "HOST", defaultValue = "", description = "The host's name once more, by somebody who has seen that it stopped. It counts as confirmed then and is logged. If the host lives after all, the memory of its VMs is damaged.")
        private String knownDead;

        Fence(Services services) {
            super(services);
        }

        @Override
        public void run() {
            HostStatus status = call(new CoordinatorRequest.HostFence(host, knownDead), Reply.HostReply.class).host();
            output.print(status, () -> Views.host(status));
        }
    }

    /// `tombolo host drain HOST`.
    @Command(name = "drain", description = {
            "Hand all VMs of a host over to others, one after the other, and give it none.",
            "Ends with 0 only if all of them moved."})
    static final class Drain extends Base {
        Drain(Services services) {
            super(services);
        }

        @Override
        public void run() {
            Reply.Drained drained = call(new CoordinatorRequest.HostDrain(host, true), Reply.Drained.class);
            output.print(drained, () -> TakeoverViews.drained(drained));
            long stayed = drained.vms().stream().filter(vm -> !vm.outcome().equals(TakeoverViews.MOVED)).count();
            if (stayed > 0) {
                throw TomboloException.error(DeployError.HOST_NOT_DRAINED, "VMs of the host stayed where they are")
                        .fact("host", host).fact("stayed", stayed).fact("of", drained.vms().size())
                        .next("mend what is said of them and repeat the command, or give the host back with `tombolo"
                                + " host undrain " + host + "`")
                        .build();
            }
        }
    }

    /// `tombolo host undrain HOST`.
    @Command(name = "undrain", description = "Let a host that was drained have VMs again.")
    static final class Undrain extends Base {
        Undrain(Services services) {
            super(services);
        }

        @Override
        public void run() {
            Reply.Drained answer = call(new CoordinatorRequest.HostDrain(host, false), Reply.Drained.class);
            output.print(Map.of("host", answer.host(), "drained", false), () -> host + " may have VMs again\n");
        }
    }

    /// `tombolo host remove HOST`.
    @Command(name = "remove", description = "Forget a host that is confirmed stopped and owns no VM; its slots become free.")
    static final class Remove extends Base {
        Remove(Services services) {
            super(services);
        }

        @Override
        public void run() {
            call(new CoordinatorRequest.HostRemove(host), Reply.Ack.class);
            output.print(Map.of("host", host, "removed", true), () -> "removed " + host + "\n");
        }
    }
}
