package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `tombolo vm protect VM`.
@Command(name = "protect", description = {"Checkpoint a VM that runs, so that it goes on elsewhere when its host dies.",
        "A VM that is protected already gets the new interval."})
final class VmProtectCommand extends VmCommand.Base {
    @Parameters(paramLabel = "VM", description = "Name of the VM.")
    private String vm;

    @Option(names = "--checkpoint-interval", paramLabel = "DURATION", converter = DurationConverter.class, description = "Longest time between two checkpoints, 100us to 1s (5ms).")
    private Long intervalNs;

    VmProtectCommand(Services services) {
        super(services);
    }

    @Override
    public void run() {
        printVm(call(new CoordinatorRequest.VmProtect(vm, ProtectionMixin.checkpointUs(intervalNs)),
                Reply.VmReply.class).vm());
    }

    /// `tombolo vm unprotect VM`.
    @Command(name = "unprotect", description = "End the protection of a VM; it runs on and is lost if its host dies.")
    static final class Unprotect extends VmCommand.Base {
        @Parameters(paramLabel = "VM", description = "Name of the VM.")
        private String vm;

        Unprotect(Services services) {
            super(services);
        }

        @Override
        public void run() {
            printVm(call(new CoordinatorRequest.VmProtect(vm, 0), Reply.VmReply.class).vm());
        }
    }
}
