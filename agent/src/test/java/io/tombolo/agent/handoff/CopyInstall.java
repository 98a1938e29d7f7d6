package io.tombolo.agent.handoff;

import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.right.OpenBoard;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.AgentRequest.CopyPages;
import io.tombolo.coordinator.wire.AgentRequest.CopyRun;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.region.PageTable;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// A copy of a VM's pages of which everything has arrived, for tests elsewhere.
public final class CopyInstall {
    private CopyInstall() {
    }

    private record Link(GuestCopier copier, LocalTier local) implements PageLink {
        @Override
        public CompletableFuture<?> send(Peer to, AgentRequest request) {
            throw new UnsupportedOperationException("a target sends no pages");
        }
    }

    /// Puts frames of `local` into the entries.
    ///
    /// @param sealed what happens between the seal and that
    public static void install(PageTable table, LocalTier local, Runnable sealed) {
        CopyTarget target = CopyTarget.take(new Link(new GuestCopier(), local), table, 1, 1);
        int units = (int) (table.pages() * table.pageSize().frames());
        target.store(new CopyPages(1, table.vm(), 1, List.of(new CopyRun(0, units, true)), Bytes.EMPTY));
        target.seal(1, 1);
        sealed.run();
        target.install(OpenBoard.checker());
    }
}
