package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// The answer to one [Request].
public sealed interface Reply extends Message {
    /// The request was carried out, or there was nothing left to do.
    record Ack() implements Reply {
    }

    /// Answer to a ping.
    ///
    /// @param nonce       the request's
    /// @param monotonicNs CLOCK_MONOTONIC of the answering process
    record Pong(long nonce, long monotonicNs) implements Reply {
    }

    /// The request failed. See [RemoteException].
    ///
    /// @param code       stable name of the error
    /// @param what       what happened, one clause
    /// @param facts      `key=value` in order
    /// @param next       what to do now; `""` when there is nothing
    /// @param exitStatus exit status for a command that ends with this error
    record ErrorReply(String code, String what, List<Fact> facts, String next, int exitStatus) implements Reply {
        public ErrorReply {
            requireNonNull(code, "code is null");
            requireNonNull(what, "what is null");
            facts = List.copyOf(facts);
            requireNonNull(next, "next is null");
        }
    }

    /// One `key=value` of an [ErrorReply].
    record Fact(String key, String value) {
        public Fact {
            requireNonNull(key, "key is null");
            requireNonNull(value, "value is null");
        }
    }

    /// One VM.
    record VmReply(VmStatus vm) implements Reply {
        public VmReply {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Several VMs, by name.
    record VmListReply(List<VmStatus> vms) implements Reply {
        public VmListReply {
            vms = List.copyOf(vms);
        }
    }

    /// One host.
    record HostReply(HostStatus host) implements Reply {
        public HostReply {
            requireNonNull(host, "host is null");
        }
    }

    /// Several hosts, by name.
    record HostListReply(List<HostStatus> hosts) implements Reply {
        public HostListReply {
            hosts = List.copyOf(hosts);
        }
    }

    /// The cluster.
    record ClusterReply(ClusterInfo cluster) implements Reply {
        public ClusterReply {
            requireNonNull(cluster, "cluster is null");
        }
    }

    /// The target is ready to spin for this intent.
    ///
    /// @param hostSlot    slot of the target
    /// @param incarnation incarnation of that slot
    record Prepared(long intentSeq, int vmSlot, int hostSlot, long incarnation) implements Reply {
    }

    /// Answer to a cancellation.
    ///
    /// @param armed false for certain: the intent's ARMED mark or preparation is gone for good on this host
    /// @param owner whether the owner word names this host at the time of the answer
    /// @param epoch epoch of the owner word at the time of the answer
    record Cancelled(long intentSeq, boolean armed, boolean owner, long epoch) implements Reply {
    }

    /// The hand-off is decided, one way or the other.
    record Switched(HandoffReport report) implements Reply {
        public Switched {
            requireNonNull(report, "report is null");
        }
    }

    /// Where a hand-off is.
    ///
    /// @param phase what this host is doing for that intent
    /// @param armed whether the ARMED mark of that intent is set (source) or the preparation is held (target)
    /// @param epoch epoch of the owner word
    record HandoffState(long intentSeq, HandoffPhase phase, boolean armed, long epoch) implements Reply {
        public HandoffState {
            requireNonNull(phase, "phase is null");
        }
    }

    /// What the target measured; all clock readings are CLOCK_MONOTONIC.
    ///
    /// @param ran                whether the target runs the VM
    /// @param offerSeenNs        when it saw the offer; 0 when it did not
    /// @param runningNs          when its CAS to RUNNING succeeded; 0 when it did not
    /// @param firstInstructionNs when the guest executed its first instruction; 0 when it did not
    /// @param bytesCopied        bytes of guest memory copied at the target
    /// @param epoch              epoch of the owner word after the target's last change
    /// @param reason             error code of a refusal; `""` when it ran or saw no offer
    record WindowClosed(long intentSeq, boolean ran, long offerSeenNs, long runningNs, long firstInstructionNs,
            long bytesCopied, long epoch, String reason) implements Reply {
        public WindowClosed {
            requireNonNull(reason, "reason is null");
        }
    }

    /// A migration that ended with the VM at its target.
    ///
    /// @param report what the hand-off cost, all phases filled in
    /// @param move   what became of its pages
    /// @param vm     the VM afterwards
    record Migrated(HandoffReport report, MoveReport move, VmStatus vm) implements Reply {
        public Migrated {
            requireNonNull(report, "report is null");
            requireNonNull(move, "move is null");
            requireNonNull(vm, "vm is null");
        }
    }

    /// Answer of a guest program.
    ///
    /// @param status whether the operation was carried out
    /// @param values what it returned, as the guest program defines it
    record GuestReply(long clientId, long seq, GuestStatus status, List<Long> values) implements Reply {
        public GuestReply {
            requireNonNull(status, "status is null");
            values = List.copyOf(values);
        }
    }

    /// A part of an input log.
    ///
    /// @param from    number of the first entry
    /// @param entries as many as fit a frame
    /// @param end     number of entries the log holds altogether
    record InputLog(long from, List<InputEntry> entries, long end) implements Reply {
        public InputLog {
            entries = List.copyOf(entries);
        }
    }

    /// What became of a call about pages.
    ///
    /// @param vmPages   pages of the VM
    /// @param pageBytes bytes of one
    /// @param done      pages handled, from the first asked for
    /// @param notMoved  of those, how many are not on the target tier; 0 for a query
    /// @param status    per handled page: the code of its tier after the call, or a negative errno
    /// @param bits      per handled page: bit 0 accessed, bit 1 dirty
    record PagesMoved(long vmPages, int pageBytes, int done, int notMoved, Bytes status, Bytes bits)
            implements
                Reply {
        public PagesMoved {
            requireNonNull(status, "status is null");
            requireNonNull(bits, "bits is null");
        }
    }

    /// The pinned ranges of a VM, by first page.
    record PinList(List<PinnedRange> ranges) implements Reply {
        public PinList {
            ranges = List.copyOf(ranges);
        }
    }

    /// One pinned range.
    ///
    /// @param pins how often it is pinned
    record PinnedRange(long firstPage, long count, int pins) {
    }

    /// The tiers of a host.
    record TierList(List<TierStatus> tiers) implements Reply {
        public TierList {
            tiers = List.copyOf(tiers);
        }
    }

    /// How far a migration is.
    ///
    /// @param pagesDone      of the phase
    /// @param pagesTotal     of the phase; 0 where none are moved
    /// @param bytesPerSecond mean of the phase
    /// @param round          of a copy, from 1; its pages are those of `pagesDone` and `pagesTotal`. 0 in other phases
    record MigrateProgress(MigratePhase phase, long pagesDone, long pagesTotal, long bytesPerSecond, int round)
            implements
                Reply {
        public MigrateProgress {
            requireNonNull(phase, "phase is null");
        }

        /// Of a phase without rounds.
        public MigrateProgress(MigratePhase phase, long pagesDone, long pagesTotal, long bytesPerSecond) {
            this(phase, pagesDone, pagesTotal, bytesPerSecond, 0);
        }
    }

    /// As [Switched], of a VM whose pages were sent.
    record CopySwitched(HandoffReport report, CopyReport copy) implements Reply {
        public CopySwitched {
            requireNonNull(report, "report is null");
            requireNonNull(copy, "copy is null");
        }
    }

    /// How far a copy is.
    ///
    /// @param round          the round that is under way, from 1; 0 when no copy of that intent is
    /// @param pagesDone      of the round
    /// @param pagesTotal     of the round
    /// @param bytesPerSecond guest memory sent per second in the rounds so far
    record CopyProgress(int round, long pagesDone, long pagesTotal, long bytesPerSecond) implements Reply {
    }

    /// A migration was asked to end, and has ended.
    ///
    /// @param phase     where it was when it was asked
    /// @param cancelled false when it had gone too far and ended as a migration
    /// @param vm        the VM afterwards; its `ownerHost` says where it runs
    record MigrateCancelled(MigratePhase phase, boolean cancelled, VmStatus vm) implements Reply {
        public MigrateCancelled {
            requireNonNull(phase, "phase is null");
            requireNonNull(vm, "vm is null");
        }
    }
}
