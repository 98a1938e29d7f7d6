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

    /// Hand a running VM to another host. Answered by [Reply.Migrated] when the target runs and the source is cleaned
    /// up.
    record VmMigrate(String vm, String toHost) implements CoordinatorRequest {
        public VmMigrate {
            requireNonNull(vm, "vm is null");
            requireNonNull(toHost, "toHost is null");
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
}
