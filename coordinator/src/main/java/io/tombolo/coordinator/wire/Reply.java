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

    /// A takeover has begun: the owner word names the answering host and the commit word is sealed.
    ///
    /// @param epoch epoch of the owner word
    record TakeoverStarted(int vmSlot, long epoch) implements Reply {
    }

    /// How far a takeover is at the host that does it. All clock readings are its CLOCK_MONOTONIC, 0 where it has not
    /// come to that.
    ///
    /// @param phase           NONE, WAITING, RECOVERING, RUNNING, PAUSED or LOST
    /// @param reason          error code of why it is lost; `""` when it is not
    /// @param inDoubt         owners not confirmed stopped, `slot#incarnation`
    /// @param begunNs         the owner word named this host and the commit word was sealed
    /// @param confirmedNs     every owner in doubt was confirmed stopped
    /// @param recoveredNs     memory was as at the last commit
    /// @param runningNs       the VM ran
    /// @param pagesRolledBack pages of the open interval that were pointed back
    record TakeoverState(int vmSlot, String phase, String reason, List<String> inDoubt, long begunNs, long confirmedNs,
            long recoveredNs, long runningNs, long pagesRolledBack) implements Reply {
        public TakeoverState {
            requireNonNull(phase, "phase is null");
            requireNonNull(reason, "reason is null");
            inDoubt = List.copyOf(inDoubt);
        }

        /// Of a host that does no takeover of that VM.
        public static TakeoverState none(int vmSlot) {
            return new TakeoverState(vmSlot, "NONE", "", List.of(), 0, 0, 0, 0, 0);
        }
    }

    /// A takeover by hand.
    ///
    /// @param vm the VM afterwards
    record TakenOver(TakeoverReport report, VmStatus vm) implements Reply {
        public TakenOver {
            requireNonNull(report, "report is null");
            requireNonNull(vm, "vm is null");
        }
    }

    /// What became of the VMs of a host that was drained.
    record Drained(String host, List<DrainedVm> vms) implements Reply {
        public Drained {
            requireNonNull(host, "host is null");
            vms = List.copyOf(vms);
        }
    }

    /// One VM of a drained host.
    ///
    /// @param toHost  where it runs now
    /// @param outcome `MOVED`, or the error code of why it did not
    /// @param text    the same for people; `""` when it moved
    record DrainedVm(String vm, String toHost, String outcome, String text) {
        public DrainedVm {
            requireNonNull(vm, "vm is null");
            requireNonNull(toHost, "toHost is null");
            requireNonNull(outcome, "outcome is null");
            requireNonNull(text, "text is null");
        }
    }

    /// The takeovers of the leading coordinator's term, in the order in which they began.
    record TakeoverList(List<TakeoverReport> takeovers) implements Reply {
        public TakeoverList {
            takeovers = List.copyOf(takeovers);
        }
    }

    /// ZooKeeper says what the region says.
    ///
    /// @param written VMs whose record was written
    /// @param removed VMs whose record was taken away: the region does not know them
    /// @param unknown VM slots that are taken and that nobody can describe
    record Reconciled(List<String> written, List<String> removed, List<String> unknown) implements Reply {
        public Reconciled {
            written = List.copyOf(written);
            removed = List.copyOf(removed);
            unknown = List.copyOf(unknown);
        }
    }
}
