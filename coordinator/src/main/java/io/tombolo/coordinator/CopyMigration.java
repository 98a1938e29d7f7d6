package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CompletableFuture;

/// Migration of mode `copy`. Not built yet: refused after the preflight, with nothing changed.
final class CopyMigration {
    private CopyMigration() {
    }

    /// @param route where it goes; its preflight has held
    static CompletableFuture<Reply> run(CoordinatorRequest.VmMigrate request, LeaderSession.Route route) {
        return CompletableFuture.failedFuture(TomboloException
                .error(CoordinatorError.MIGRATE_MODE_UNAVAILABLE, "this release cannot migrate in that mode yet")
                .fact("vm", request.vm()).fact("mode", request.mode().text()).fact("from", route.from().name())
                .fact("to", route.to().name())
                .next("tombolo vm migrate " + request.vm() + " --to " + request.toHost() + " --mode transit").build());
    }
}
