package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `tombolo vm`.
@Command(name = "vm", description = "Create, show, move, protect and destroy VMs.", subcommands = {
        VmCommand.Create.class,
        VmCommand.ListVms.class, VmCommand.Show.class, VmMigrateCommand.class,
        VmProtectCommand.class, VmProtectCommand.Unprotect.class, VmTakeoverCommand.class,
        VmCommand.Pause.class, VmCommand.Resume.class, VmCommand.Destroy.class})
final class VmCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// What the commands about VMs share: a cluster to ask and a way to print.
    abstract static class Base implements Runnable {
        @Mixin
        ClusterMixin cluster;

        @Mixin
        OutputMixin output;

        private final Services services;

        Base(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        <T extends Reply> T call(CoordinatorRequest request, Class<T> type) {
            try (ClusterConnection connection = connect()) {
                return Replies.expect(connection.call(request), type);
            }
        }

        ClusterConnection connect() {
            return services.connect(cluster.target());
        }

        void printVm(VmStatus vm) {
            output.print(vm, () -> Views.vm(vm));
        }
    }

    /// `tombolo vm create NAME`.
    @Command(name = "create", description = "Create a VM and run it.")
    static final class Create extends Base {
        @Parameters(paramLabel = "VM", description = "Name of the new VM.")
        private String name;

        @Mixin
        private GuestMixin guest;

        @Mixin
        private TierMixin tier;

        @Mixin
        private ProtectionMixin protection;

        @Option(names = "--host", paramLabel = "HOST", defaultValue = "", description = "Where to create it; placement chooses if not given.")
        private String host;

        Create(Services services) {
            super(services);
        }

        @Override
        public void run() {
            VmSpec spec = protection.apply(tier.apply(guest.spec(name, UUID.randomUUID())));
            printVm(call(new CoordinatorRequest.VmCreate(spec, host), Reply.VmReply.class).vm());
        }
    }

    /// `tombolo vm list`.
    @Command(name = "list", description = "List the VMs of a cluster.")
    static final class ListVms extends Base {
        ListVms(Services services) {
            super(services);
        }

        @Override
        public void run() {
            List<VmStatus> vms = call(new CoordinatorRequest.VmList(), Reply.VmListReply.class).vms();
            output.print(vms, () -> Views.vms(vms));
        }
    }

    /// `tombolo vm show VM`.
    @Command(name = "show", description = "Show one VM.")
    static final class Show extends Base {
        /// Long enough to see how often a checkpoint is made.
        private static final long RATE_NS = 200_000_000L;

        @Parameters(paramLabel = "VM", description = "Name of the VM.")
        private String vm;

        Show(Services services) {
            super(services);
        }

        @Override
        public void run() {
            VmStatus first;
            VmStatus status;
            long betweenNs;
            try (ClusterConnection connection = connect()) {
                first = look(connection);
                status = first;
                long fromNs = System.nanoTime();
                if (first.protection().isProtected()) {
                    LockSupport.parkNanos(RATE_NS);
                    status = look(connection);
                }
                betweenNs = System.nanoTime() - fromNs;
            }
            print(status, rate(first, status, betweenNs));
        }

        private VmStatus look(ClusterConnection connection) {
            return Replies.expect(connection.call(new CoordinatorRequest.VmShow(vm)), Reply.VmReply.class).vm();
        }

        /// Empty when another host counts by now.
        private static OptionalDouble rate(VmStatus first, VmStatus second, long betweenNs) {
            long commits = second.protection().commits() - first.protection().commits();
            return second.protection().isProtected() && commits >= 0 && first.ownerHost().equals(second.ownerHost())
                    ? OptionalDouble.of(commits * 1e9 / betweenNs)
                    : OptionalDouble.empty();
        }

        private void print(VmStatus status, OptionalDouble rate) {
            if (output.isJson() && rate.isPresent()) {
                ObjectNode json = new ObjectMapper().valueToTree(status);
                json.put("checkpointsPerSecond", rate.getAsDouble());
                output.print(json, () -> "");
            } else {
                output.print(status, () -> Views.vm(status, rate));
            }
        }
    }

    /// `tombolo vm pause VM`.
    @Command(name = "pause", description = "Stop the vCPUs of a VM; it stays where it is.")
    static final class Pause extends Base {
        @Parameters(paramLabel = "VM", description = "Name of the VM.")
        private String vm;

        Pause(Services services) {
            super(services);
        }

        @Override
        public void run() {
            printVm(call(new CoordinatorRequest.VmPause(vm), Reply.VmReply.class).vm());
        }
    }

    /// `tombolo vm resume VM`.
    @Command(name = "resume", description = "Let the vCPUs of a paused VM go on.")
    static final class Resume extends Base {
        @Parameters(paramLabel = "VM", description = "Name of the VM.")
        private String vm;

        Resume(Services services) {
            super(services);
        }

        @Override
        public void run() {
            printVm(call(new CoordinatorRequest.VmResume(vm), Reply.VmReply.class).vm());
        }
    }

    /// `tombolo vm destroy VM`.
    @Command(name = "destroy", description = "Stop a VM for ever and give its memory back.")
    static final class Destroy extends Base {
        @Parameters(paramLabel = "VM", description = "Name of the VM.")
        private String vm;

        Destroy(Services services) {
            super(services);
        }

        @Override
        public void run() {
            call(new CoordinatorRequest.VmDestroy(vm), Reply.Ack.class);
            output.print(Map.of("vm", vm, "destroyed", true), () -> "destroyed " + vm + "\n");
        }
    }
}
