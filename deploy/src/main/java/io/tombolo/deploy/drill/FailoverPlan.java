package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.wire.VmSpec;
import java.util.List;

/// What a failover drill is to do: let the host that owns the VM fail, again and again, or, with `coldStart`, all of
/// them once.
///
/// @param hosts     hosts to start, at least 2
/// @param vm        the protected guest; of a cold start, what each of them is but for its name
/// @param clients   how many clients ask the guest for things all the time, at least 1
/// @param failures  kinds of failure, in the order of a round
/// @param rounds    how often that order is gone through
/// @param coldStart VMs that are created before everything is killed at once; 0 for a drill of single failures
/// @param baseMs    the figure that all timings of the cluster are derived from
public record FailoverPlan(int hosts, VmSpec vm, int clients, List<FailureKind> failures, int rounds, int coldStart,
        int baseMs) {
    private static final long FRAME_BYTES = 4096;
    /// The log and the alignment of its run.
    private static final long LOG_BYTES = 4L << 20;
    private static final long TABLE_PART = 512;
    /// Of a VM that nobody asks for anything but its own program's work, for some seconds.
    private static final long COLD_PREIMAGE_BYTES = 16L << 20;
    private static final long ROOM_BYTES = 64L << 20;

    public FailoverPlan {
        requireNonNull(vm, "vm is null");
        failures = List.copyOf(failures);
        if (vm.checkpointUs() == 0) {
            throw new IllegalArgumentException("the VM of a failover drill is protected");
        }
        if (coldStart < 0 || (coldStart == 0 && (failures.isEmpty() || rounds < 1))) {
            throw new IllegalArgumentException(
                    "failures: " + failures + " rounds: " + rounds + " coldStart: " + coldStart);
        }
        if (clients < 0 || (clients > 0 && !DrillPlan.servesClients(vm)) || (clients == 0 && coldStart == 0)) {
            throw new IllegalArgumentException("clients: " + clients + " program=" + vm.program());
        }
    }

    /// How many failures there will be.
    public int count() {
        return coldStart > 0 ? 1 : rounds * failures.size();
    }

    public Timings timings() {
        return new Timings(baseMs);
    }

    /// How large the region must be for all VMs with as many pre-images as they can want.
    public long regionBytes() {
        long memory = vm.memoryBytes();
        long preimages = Math.min(memory, TakeoverFormula.DIRTY_PAGES_MAX * FRAME_BYTES);
        long one = memory + Math.max(FRAME_BYTES, memory / TABLE_PART) + LOG_BYTES
                + (coldStart > 0 ? Math.min(preimages, COLD_PREIMAGE_BYTES) : preimages);
        return ROOM_BYTES + Math.max(1, coldStart) * one;
    }

    /// What every takeover is held against.
    public TakeoverFormula formula() {
        return TakeoverFormula.of(timings(), regionBytes() / FRAME_BYTES, vm.pages());
    }
}
