package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.wire.WireLimits;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.List;

/// Asks the agent of the host that owns a VM about its pages, in calls of as many as one may have.
final class VmPagesClient {
    private static final int BUDGET_MS = 200;

    private final ClusterConnection connection;
    private final VmStatus vm;

    /// Told of every page of a call, in order.
    @FunctionalInterface
    interface Pages {
        void page(long page, int status, int bits);
    }

    private VmPagesClient(ClusterConnection connection, VmStatus vm) {
        this.connection = connection;
        this.vm = vm;
    }

    /// Finds the owner.
    ///
    /// @throws TomboloException `VM_WITHOUT_OWNER`, and what the coordinator refuses
    static VmPagesClient of(ClusterConnection connection, String name) {
        VmStatus vm = Replies.expect(connection.call(new CoordinatorRequest.VmShow(name)), Reply.VmReply.class).vm();
        if (vm.ownerHost().isEmpty()) {
            throw TomboloException.error(DeployError.VM_WITHOUT_OWNER, "no host owns the VM").fact("vm", name)
                    .fact("state", vm.ownerState()).next("tombolo vm show " + name).build();
        }
        return new VmPagesClient(connection, vm);
    }

    VmStatus vm() {
        return vm;
    }

    /// The ranges as they are in this VM; all are checked before anything is asked.
    List<PageRange> ranges(List<PageRange> asked) {
        return asked.stream().map(range -> range.of(vm.spec().name(), vm.spec().pages())).toList();
    }

    /// Moves, or with [AgentRequest.MovePages#QUERY] only looks at, the pages of a range.
    void move(PageRange range, int tier, Pages told) {
        long next = range.first();
        long end = range.first() + range.count();
        while (next < end) {
            int count = (int) Math.min(WireLimits.MAX_PAGE_BYTES, end - next);
            Reply.PagesMoved reply = ask(new AgentRequest.MovePages(vm.spec().name(), next, count, tier, BUDGET_MS),
                    Reply.PagesMoved.class);
            Bytes status = reply.status();
            if (reply.done() < 1 || reply.done() > count || status.length() < reply.done()
                    || reply.bits().length() < reply.done()) {
                throw new IllegalStateException(vm.ownerHost() + " answered " + reply + " to " + count + " pages");
            }
            for (int i = 0; i < reply.done(); i++) {
                told.page(next + i, status.at(i), reply.bits().at(i));
            }
            next += reply.done();
        }
    }

    void pin(PageRange range, boolean pin) {
        ask(new AgentRequest.PinPages(vm.spec().name(), range.first(), range.count(), pin), Reply.Ack.class);
    }

    List<Reply.PinnedRange> pins() {
        return ask(new AgentRequest.ListPins(vm.spec().name()), Reply.PinList.class).ranges();
    }

    private <R extends Reply> R ask(AgentRequest request, Class<R> type) {
        return Replies.expect(connection.call(vm.ownerHost(), request), type);
    }
}
