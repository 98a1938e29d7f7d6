package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmStatus;

/// Decides whether a guest that hopped has the memory that it would have had if it had stayed.
public interface GuestVerifier {
    /// Waits until the guest has done something since `earlier` was taken, or since the last call: it must work between
    /// two hops, and be past its boot before the first.
    ///
    /// @throws io.tombolo.region.TomboloException when it does not
    void awaitProgress(DrillCluster cluster, VmStatus earlier);

    /// Looks at the guest.
    ///
    /// @param cluster where the VM is
    /// @param stopped the VM after its vCPUs were stopped
    Result verify(DrillCluster cluster, VmStatus stopped);

    /// Looks at the region after the VM was destroyed.
    Frames verifyRegion(DrillCluster cluster);

    /// What was found of the guest.
    ///
    /// @param identical       whether memory is as it should be
    /// @param method          how that was decided
    /// @param bytesCompared   guest bytes looked at
    /// @param selfCheckErrors what the guest itself found wrong
    /// @param detail          what differs first; `""` when nothing does
    record Result(boolean identical, String method, long bytesCompared, long selfCheckErrors, String detail) {
        public Result {
            requireNonNull(method, "method is null");
            requireNonNull(detail, "detail is null");
        }
    }

    /// What was found of the region.
    ///
    /// @param leaked   frames that belong to nothing
    /// @param findings what `region verify` found besides
    /// @param detail   the first finding; `""` when there is none
    record Frames(long leaked, int findings, String detail) {
        public Frames {
            requireNonNull(detail, "detail is null");
        }
    }
}
