package io.tombolo.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.zk.ZkPort;
import org.junit.jupiter.api.Test;

/// That the lapses of the coordination service reach the protocols.
final class EnsembleTest {
    private static final int WITHIN = 3_000;

    @Test
    void findsALeaderThatWritesWithoutCheckingItsTerm() {
        Wiring noTerm = new Wiring() {
            @Override
            boolean sends(ZkPort.Change change) {
                return !(change instanceof ZkPort.Change.Check(String path, int _)
                        && path.equals(SimEnsemble.PATHS.term()));
            }
        };
        Quiet.please();
        String[] what = new String[1];
        long found = PlantedTable.find(noTerm, 1, WITHIN, what);
        System.out.println("planted: no check of the term: found in schedule " + found + ": " + what[0]);
        assertThat(found).isPositive();
        assertThat(what[0]).startsWith("C1: ");
    }
}
