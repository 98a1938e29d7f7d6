package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.OwnerState;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a VM's record becomes, and which host a VM gets: both are functions, so they are tested as tables.
class ReconciliationTest {
    private static final VmSpec SPEC = new VmSpec("vm", new UUID(1, 1), "simulated", 4096, 1, "dirty", 4096, "uniform",
            1);
    private static final HostRecord H1 = host("h1", 1, "simulated");
    private static final HostRecord H2 = host("h2", 2, "simulated");
    private static final HostRecord QEMU = host("h3", 3, "qemu");
    private static final PlacementConfig LIMITS = new PlacementConfig(2);

    private static HostRecord host(String name, int slot, String driver) {
        return new HostRecord(name, new UUID(0, slot), slot, 1, new UUID(5, 5), 1, "127.0.0.1", 1, List.of(driver));
    }

    /// The record says host h1 at epoch 7; hosts in slots 1 and 2 are live, the one in slot 9 is not.
    @ParameterizedTest
    @CsvSource({"RUNNING,1,7,,h1,7,''", "RUNNING,2,8,,h2,8,''", "RUNNING,2,8,OWNER_HOST_DEAD,h2,8,''",
            "PAUSED,1,9,,h1,9,''", "OFFERED,2,8,,h2,8,''", "CLAIMED,2,8,,h2,8,''", "RECOVERING,2,8,,h2,8,''",
            "DESTROYING,1,8,,h1,8,''", "RUNNING,9,8,,h1,8,OWNER_HOST_DEAD", "CLAIMED,9,8,,h1,8,OWNER_HOST_DEAD",
            "RUNNING,1,6,,h1,7,REGION_BEHIND_ZOOKEEPER", "FREE,0,6,,h1,7,REGION_BEHIND_ZOOKEEPER",
            "FREE,0,8,,h1,8,VM_NOT_IN_REGION", "FREE,0,7,VM_CREATING,h1,7,VM_CREATING",
            "CREATING,1,8,VM_CREATING,h1,8,VM_CREATING", "CREATING,9,8,VM_CREATING,h1,8,OWNER_HOST_DEAD",
            "LOST,1,8,,h1,8,VM_LOST"})
    void theRecordFollowsTheOwnerWord(OwnerState state, int slot, long epoch, String reasonBefore, String host,
            long epochAfter, String reason) {
        VmRecord before = new VmRecord(SPEC, 4, "h1", 7, reasonBefore == null ? "" : reasonBefore, "");
        VmRecord after = Reconciliation.inLine(before, new OwnerSnapshot(state, slot, epoch), List.of(H1, H2));
        assertThat(after.host()).isEqualTo(host);
        assertThat(after.epoch()).isEqualTo(epochAfter);
        assertThat(after.reason()).isEqualTo(reason);
        assertThat(after.spec()).isEqualTo(SPEC);
        assertThat(after.slot()).isEqualTo(4);
        assertThat(Reconciliation.inLine(after, new OwnerSnapshot(state, slot, epoch), List.of(H1, H2)))
                .as("in line once, in line for good").isEqualTo(after);
    }

    private static String codeOf(org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
        return Errors.codeOf(catchThrowable(action));
    }

    @Test
    void placementTakesTheHostWithTheFewestVmsThatHasTheDriverAndRoom() {
        List<HostRecord> all = List.of(H2, H1, QEMU);
        assertThat(Placement.choose(SPEC, all, Map.of(), LIMITS)).isEqualTo(H1);
        assertThat(Placement.choose(SPEC, all, Map.of("h1", 1), LIMITS)).isEqualTo(H2);
        assertThat(Placement.choose(SPEC, all, Map.of("h1", 1, "h2", 2), LIMITS)).isEqualTo(H1);
        assertThat(codeOf(() -> Placement.choose(SPEC, all, Map.of("h1", 2, "h2", 2), LIMITS)))
                .isEqualTo("NO_HOST_AVAILABLE");
        assertThat(codeOf(() -> Placement.choose(SPEC, List.of(QEMU), Map.of(), LIMITS)))
                .isEqualTo("NO_HOST_AVAILABLE");
    }

    @Test
    void placementRefusesANamedHostByReason() {
        List<HostRecord> live = List.of(H1, H2, QEMU);
        Set<String> known = Set.of("h1", "h2", "h3", "h4");
        assertThat(Placement.require("h2", SPEC, live, known, Map.of("h2", 1), LIMITS)).isEqualTo(H2);
        assertThat(codeOf(() -> Placement.require("h2", SPEC, live, known, Map.of("h2", 2), LIMITS)))
                .isEqualTo("HOST_FULL");
        assertThat(codeOf(() -> Placement.require("h3", SPEC, live, known, Map.of(), LIMITS)))
                .isEqualTo("HOST_LACKS_DRIVER");
        assertThat(codeOf(() -> Placement.require("h4", SPEC, live, known, Map.of(), LIMITS))).isEqualTo("HOST_DEAD");
        assertThat(codeOf(() -> Placement.require("h5", SPEC, live, known, Map.of(), LIMITS)))
                .isEqualTo("HOST_UNKNOWN");
    }
}
