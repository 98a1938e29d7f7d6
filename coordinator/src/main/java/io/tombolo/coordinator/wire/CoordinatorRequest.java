package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

/// What the CLI asks the leading coordinator; another coordinator answers `NOT_LEADER` with the leader's address.
public sealed interface CoordinatorRequest extends Request {
    /// Create and run a VM. Answered by [Reply.VmReply].
    ///
    /// @param host where to create it; `""` lets placement choose
    record VmCreate(VmSpec spec, String host) implements CoordinatorRequest {
        public VmCreate {
            requireNonNull(spec, "spec is null");
            requireNonNull(host, "host is null");
        }
    }

    /// Answered by [Reply.Ack].
    record VmDestroy(String vm) implements CoordinatorRequest {
        public VmDestroy {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Answered by [Reply.VmReply].
    record VmPause(String vm) implements CoordinatorRequest {
        public VmPause {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Answered by [Reply.VmReply].
    record VmResume(String vm) implements CoordinatorRequest {
        public VmResume {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Move a running VM to another host. Answered by [Reply.Migrated] when the target runs, the source is cleaned up
    /// and the pages are where the mode wants them.
    ///
    /// @param mode          how its memory gets there
    /// @param moveTimeoutMs longest time for the pages, in each direction; 0 leaves it to the coordinator
    /// @param downtimeLimitMs mode `copy`: what is left is sent with the guest stopped when that takes this long at
    ///                      most; 0 leaves it to the coordinator
    record VmMigrate(String vm, String toHost, MigrateMode mode, int moveTimeoutMs, int downtimeLimitMs)
            implements
                CoordinatorRequest {
        public VmMigrate {
            requireNonNull(vm, "vm is null");
            requireNonNull(toHost, "toHost is null");
            requireNonNull(mode, "mode is null");
        }

        /// A plain hand-off.
        public VmMigrate(String vm, String toHost) {
            this(vm, toHost, MigrateMode.HANDOFF, 0, 0);
        }

        /// With the usual downtime limit, where the mode has one.
        public VmMigrate(String vm, String toHost, MigrateMode mode, int moveTimeoutMs) {
            this(vm, toHost, mode, moveTimeoutMs, 0);
        }
    }

    /// How far the migration of a VM is. Answered by [Reply.MigrateProgress]; `MIGRATION_NOT_RUNNING` when there is
    /// none.
    record VmMigrateProgress(String vm) implements CoordinatorRequest {
        public VmMigrateProgress {
            requireNonNull(vm, "vm is null");
        }
    }

    /// End the migration of a VM; it runs on wherever it is by then. Answered by [Reply.MigrateCancelled] when the
    /// migration has ended; `MIGRATION_NOT_RUNNING` when there is none.
    record VmMigrateCancel(String vm) implements CoordinatorRequest {
        public VmMigrateCancel {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Answered by [Reply.VmListReply].
    record VmList() implements CoordinatorRequest {
    }

    /// Answered by [Reply.VmReply].
    record VmShow(String vm) implements CoordinatorRequest {
        public VmShow {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Answered by [Reply.HostListReply].
    record HostList() implements CoordinatorRequest {
    }

    /// Answered by [Reply.HostReply].
    record HostShow(String host) implements CoordinatorRequest {
        public HostShow {
            requireNonNull(host, "host is null");
        }
    }

    /// Answered by [Reply.ClusterReply].
    record ClusterStatus() implements CoordinatorRequest {
    }

    /// Protect a VM, or end its protection. Answered by [Reply.VmReply].
    ///
    /// @param checkpointUs longest time between two commits; 0: protect it no longer
    record VmProtect(String vm, int checkpointUs) implements CoordinatorRequest {
        public VmProtect {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Take a VM over by hand, by the rules of the automatic one. Answered by [Reply.TakenOver].
    ///
    /// @param toHost   the new owner; `""` lets placement choose
    /// @param deadHost name of the owner host, typed by somebody who knows that it has stopped; `""` when nobody does
    record VmTakeover(String vm, String toHost, String deadHost) implements CoordinatorRequest {
        public VmTakeover {
            requireNonNull(vm, "vm is null");
            requireNonNull(toHost, "toHost is null");
            requireNonNull(deadHost, "deadHost is null");
        }
    }

    /// Fence a host: its VMs are taken over. Answered by [Reply.HostReply].
    ///
    /// @param knownDead the host's name once more, typed by somebody who knows that it has stopped; `""` when nobody
    ///                  does
    record HostFence(String host, String knownDead) implements CoordinatorRequest {
        public HostFence {
            requireNonNull(host, "host is null");
            requireNonNull(knownDead, "knownDead is null");
        }
    }

    /// Hand off all VMs of a host and place none there any more; or place VMs there again. Answered by
    /// [Reply.Drained].
    record HostDrain(String host, boolean drain) implements CoordinatorRequest {
        public HostDrain {
            requireNonNull(host, "host is null");
        }
    }

    /// Forget a host that has stopped and owns nothing: its slots are recovered and freed. Answered by [Reply.Ack].
    record HostRemove(String host) implements CoordinatorRequest {
        public HostRemove {
            requireNonNull(host, "host is null");
        }
    }

    /// The takeovers of this term. Answered by [Reply.TakeoverList].
    record Takeovers() implements CoordinatorRequest {
    }

    /// Bring ZooKeeper into line with a region that knows more. Answered by [Reply.Reconciled].
    record Reconcile() implements CoordinatorRequest {
    }
}
