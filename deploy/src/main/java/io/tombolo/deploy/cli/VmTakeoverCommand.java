package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `tombolo vm takeover VM`.
@Command(name = "takeover", description = {
        "Take a VM over from a host that is gone, by the rules of the automatic takeover.",
        "It waits until the host is confirmed stopped. A VM on a host that lives is not taken over: fence the host, or"
                + " migrate the VM."})
final class VmTakeoverCommand extends VmCommand.Base {
    @Parameters(paramLabel = "VM", description = "Name of the VM.")
    private String vm;

    @Option(names = "--to", paramLabel = "HOST", defaultValue = "", description = "The new host; placement chooses if not given.")
    private String to;

    @Option(names = "--i-know-host-is-dead", paramLabel = "HOST", defaultValue = "", description = "Name of the host that owned it, by somebody who has seen that it stopped. It counts as confirmed then and is logged. If the host lives after all, the VM's memory is damaged.")
    private String deadHost;

    VmTakeoverCommand(Services services) {
        super(services);
    }

    @Override
    public void run() {
        Reply.TakenOver done = call(new CoordinatorRequest.VmTakeover(vm, to, deadHost), Reply.TakenOver.class);
        output.print(done, () -> TakeoverViews.takeover(done.report()) + "\n" + Views.vm(done.vm()));
    }
}
