package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Asks for a migration, and while it is under way, how far it is.
final class MigrationWatch {
    private static final int PERIOD_MS = 100;

    private final ClusterConnection connection;
    private final DrillProgress progress;
    private MigratePhase phase;

    MigrationWatch(ClusterConnection connection, DrillProgress progress) {
        this.connection = requireNonNull(connection, "connection is null");
        this.progress = requireNonNull(progress, "progress is null");
    }

    /// Blocks until the migration has ended.
    ///
    /// @throws TomboloException the coordinator's error
    Reply.Migrated run(CoordinatorRequest.VmMigrate request, long timeoutMs) {
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            CompletableFuture<Reply> answer = CompletableFuture
                    .supplyAsync(() -> connection.call(request, timeoutMs), executor);
            while (true) {
                try {
                    return Replies.expect(answer.get(PERIOD_MS, TimeUnit.MILLISECONDS), Reply.Migrated.class);
                } catch (TimeoutException e) {
                    look(request.vm());
                } catch (ExecutionException e) {
                    throw switch (Errors.unwrap(e)) {
                        case RuntimeException known -> known;
                        case Throwable other -> new CompletionException(other);
                    };
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new CompletionException(e);
                }
            }
        }
    }

    private void look(String vm) {
        try {
            show(Replies.expect(connection.call(new CoordinatorRequest.VmMigrateProgress(vm)),
                    Reply.MigrateProgress.class));
        } catch (TomboloException | RemoteException e) {
            // It has not begun yet or has ended meanwhile. Anything else the answer to the migration itself tells, too.
            if (!Errors.codeOf(e).equals(CoordinatorError.MIGRATION_NOT_RUNNING.name())) {
                progress.step("no progress known: " + Errors.codeOf(e));
            }
        }
    }

    private void show(Reply.MigrateProgress now) {
        if (now.phase() != phase) {
            phase = now.phase();
            progress.step(phase.text());
        }
        if (now.pagesTotal() > 0) {
            progress.count(Math.min(now.pagesDone(), now.pagesTotal()), now.pagesTotal(),
                    (now.round() == 0 ? "" : "round " + now.round() + ", ") + Units.bytes(now.bytesPerSecond()) + "/s");
        }
    }
}
