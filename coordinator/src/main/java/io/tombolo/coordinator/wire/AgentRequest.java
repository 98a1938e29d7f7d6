package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// What an agent can be asked. Those that carry a `term` come from the leading coordinator; an agent refuses one with a
/// lower term than the highest it has seen. `vmSlot` is the VM slot in the region, `epoch` the owner word's epoch that
/// the sender acted upon: an agent that finds another epoch refuses.
public sealed interface AgentRequest extends Request {
    /// Answered by [Reply.Pong].
    record Ping(long nonce) implements AgentRequest {
    }

    /// Create and run a VM in a slot that the coordinator has set aside in ZooKeeper. Answered by [Reply.VmReply].
    record CreateVm(long term, int vmSlot, VmSpec spec) implements AgentRequest {
        public CreateVm {
            requireNonNull(spec, "spec is null");
        }
    }

    /// Stop a VM for ever and give its frames back. Answered by [Reply.Ack].
    record DestroyVm(long term, String vm, int vmSlot) implements AgentRequest {
        public DestroyVm {
            requireNonNull(vm, "vm is null");
        }
    }

    /// RUNNING -> PAUSED. Answered by [Reply.VmReply].
    record PauseVm(long term, String vm, int vmSlot) implements AgentRequest {
        public PauseVm {
            requireNonNull(vm, "vm is null");
        }
    }

    /// PAUSED -> RUNNING. Answered by [Reply.VmReply].
    record ResumeVm(long term, String vm, int vmSlot) implements AgentRequest {
        public ResumeVm {
            requireNonNull(vm, "vm is null");
        }
    }

    /// All VMs of this host. Answered by [Reply.VmListReply].
    record ListVms() implements AgentRequest {
    }

    /// One VM of this host with its instruction counts. Answered by [Reply.VmReply].
    record ShowVm(String vm) implements AgentRequest {
        public ShowVm {
            requireNonNull(vm, "vm is null");
        }
    }

    /// To the target of a hand-off: map, prove that it is the same memory (store `nonce` into the own host slot's echo
    /// word, where the source looks for it), validate, pre-launch. Answered by [Reply.Prepared].
    ///
    /// @param epoch    epoch at which the source runs
    /// @param fromSlot host slot of the source
    /// @param fromHost its name
    record PrepareTarget(long term, long intentSeq, VmSpec spec, int vmSlot, long epoch, int fromSlot, String fromHost,
            long nonce) implements AgentRequest {
        public PrepareTarget {
            requireNonNull(spec, "spec is null");
            requireNonNull(fromHost, "fromHost is null");
        }
    }

    /// To the target: forget what [PrepareTarget] set up, unless the owner word already names this host. To the source:
    /// clear the ARMED mark of this intent. Answered by [Reply.Cancelled], whose `owner` says which of the two holds.
    record CancelIntent(long term, long intentSeq, String vm, int vmSlot) implements AgentRequest {
        public CancelIntent {
            requireNonNull(vm, "vm is null");
        }
    }

    /// To the source: arm, open the target's window, quiesce, publish, switch. Answered by [Reply.Switched] when the
    /// target runs or the source took the VM back; by an error when nothing was given away.
    ///
    /// @param toHost    address of the target's RPC server, `toPort` its port
    /// @param toName    host name of the target
    /// @param nonce     what the source must find in the echo word of host slot `toSlot`
    record SwitchOver(long term, long intentSeq, String vm, int vmSlot, long epoch, int toSlot, String toName,
            String toHost, int toPort, long nonce) implements AgentRequest {
        public SwitchOver {
            requireNonNull(vm, "vm is null");
            requireNonNull(toName, "toName is null");
            requireNonNull(toHost, "toHost is null");
        }
    }

    /// Where a hand-off is, as this host sees it. Answered by [Reply.HandoffState].
    record HandoffStatus(int vmSlot, long intentSeq) implements AgentRequest {
    }

    /// Source to target: spin now, the offer comes within `windowNs`. Answered by [Reply.WindowClosed] when the target
    /// runs or the window has passed.
    record OpenWindow(long intentSeq, int vmSlot, long epoch, long windowNs) implements AgentRequest {
    }

    /// To the source, after the owner word names the target: kill and reap the guest process, forget the VM. Answered
    /// by [Reply.Ack]; answered the same way when there is nothing left to do.
    record FinishSource(long term, long intentSeq, String vm, int vmSlot, long epoch) implements AgentRequest {
        public FinishSource {
            requireNonNull(vm, "vm is null");
        }
    }

    /// One operation on a guest program that serves clients. Answered by [Reply.GuestReply].
    ///
    /// @param clientId who asks
    /// @param seq      the client's own sequence number; a repeat is recognised and answered as before
    /// @param op       operation of the guest program, for example `read`
    record GuestCall(String vm, long clientId, long seq, String op, List<Long> args) implements AgentRequest {
        public GuestCall {
            requireNonNull(vm, "vm is null");
            requireNonNull(op, "op is null");
            args = List.copyOf(args);
        }
    }

    /// The client operations of a VM from entry number `from`. Answered by [Reply.InputLog], which may hold fewer.
    record FetchInputLog(String vm, long from) implements AgentRequest {
        public FetchInputLog {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Answered by [Reply.HostReply].
    record DescribeHost() implements AgentRequest {
    }

    /// Moves consecutive pages of a VM that this host owns, or tells where they are. Ends early when the time is used
    /// up; the caller asks for the rest. Answered by [Reply.PagesMoved].
    ///
    /// @param count    1 to [WireLimits#MAX_PAGE_BYTES]
    /// @param tier     code of the tier they shall be on; -1: tell, and move none
    /// @param budgetMs after this long no further batch begins; at least one is done
    record MovePages(String vm, long firstPage, int count, int tier, int budgetMs) implements AgentRequest {
        /// In place of a tier's code.
        public static final int QUERY = -1;

        public MovePages {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Adds one pin to each page of a range, or takes one away from exactly that range. Answered by [Reply.Ack].
    record PinPages(String vm, long firstPage, long count, boolean pin) implements AgentRequest {
        public PinPages {
            requireNonNull(vm, "vm is null");
        }
    }

    /// The pinned ranges of a VM. Answered by [Reply.PinList].
    record ListPins(String vm) implements AgentRequest {
        public ListPins {
            requireNonNull(vm, "vm is null");
        }
    }

    /// [PrepareTarget] for a VM whose local pages are sent by its source: takes local frames for all of them. Answered
    /// by [Reply.Prepared]; LOCAL_TIER_FULL when there is no room.
    record PrepareCopy(long term, long intentSeq, VmSpec spec, int vmSlot, long epoch, int fromSlot, String fromHost,
            long nonce) implements AgentRequest {
        public PrepareCopy {
            requireNonNull(spec, "spec is null");
            requireNonNull(fromHost, "fromHost is null");
        }
    }

    /// [SwitchOver] for a VM whose local pages are to be sent: rounds until what is left fits the downtime limit, then
    /// stop, send the rest, switch. Answered by [Reply.CopySwitched] or an error, as that one;
    /// MIGRATE_NOT_CONVERGED when the rounds do not get there in time.
    ///
    /// @param downtimeMs longest time for the pages that are sent while the guest stands still
    /// @param timeMs     longest time for all rounds
    record SwitchCopy(long term, long intentSeq, String vm, int vmSlot, long epoch, int toSlot, String toName,
            String toHost, int toPort, long nonce, int downtimeMs, int timeMs) implements AgentRequest {
        public SwitchCopy {
            requireNonNull(vm, "vm is null");
            requireNonNull(toName, "toName is null");
            requireNonNull(toHost, "toHost is null");
        }
    }

    /// Source to target: contents of pages, for the frames that [PrepareCopy] took. Answered by [Reply.Ack] when they
    /// are stored.
    ///
    /// @param epoch epoch at which the source runs
    /// @param runs  which pages, at most [WireLimits#MAX_COPY_RUNS] runs
    /// @param bytes contents of the runs that are not zero, one after the other, at most [WireLimits#MAX_COPY_BYTES]
    record CopyPages(long intentSeq, int vmSlot, long epoch, List<CopyRun> runs, Bytes bytes) implements AgentRequest {
        public CopyPages {
            runs = List.copyOf(runs);
            requireNonNull(bytes, "bytes is null");
        }
    }

    /// Consecutive 4 KiB units of guest memory, whatever the size of its pages.
    ///
    /// @param first guest-physical address of the first, in units
    /// @param zero  whether all their bytes are zero, and not sent
    record CopyRun(long first, int count, boolean zero) {
    }

    /// Source to target, with the guest stopped and all else acknowledged: this was all. Answered by [Reply.Ack] if the
    /// target has every local page of the VM, and by an error if it has not.
    record SealCopy(long intentSeq, int vmSlot, long epoch) implements AgentRequest {
    }

    /// How far the copy of a VM is, to its source. Answered by [Reply.CopyProgress].
    record AskCopy(int vmSlot, long intentSeq) implements AgentRequest {
    }

    /// The tiers that the host can use. Answered by [Reply.TierList].
    record ListTiers() implements AgentRequest {
    }

    /// To any live host but that one: slot word LIVE -> FENCING, and what it offered can no longer be taken back by it.
    /// Answered by [Reply.Ack], also when the slot word had left LIVE before.
    record FenceHost(long term, int hostSlot, long incarnation) implements AgentRequest {
    }

    /// To any live host but that one: the incarnation has stopped, and this is how that is known. Answered by
    /// [Reply.Ack].
    ///
    /// @param evidence `operator`, `fence-agent:NAME` or `bound`
    record ConfirmStopped(long term, int hostSlot, long incarnation, String evidence) implements AgentRequest {
        public ConfirmStopped {
            requireNonNull(evidence, "evidence is null");
        }
    }

    /// Take a VM over from an owner that is gone. Answered by [Reply.TakeoverStarted] when the owner word names this
    /// host and the commit word is sealed; the rest goes on by itself.
    ///
    /// @param ownerEpoch epoch of the owner word that the sender acted upon
    record TakeOver(long term, VmSpec spec, int vmSlot, long ownerEpoch) implements AgentRequest {
        public TakeOver {
            requireNonNull(spec, "spec is null");
        }
    }

    /// How far this host's takeover of a VM is. Answered by [Reply.TakeoverState].
    record AskTakeover(int vmSlot) implements AgentRequest {
    }

    /// Protect a VM that this host runs, or end its protection. Answered by [Reply.VmReply].
    ///
    /// @param checkpointUs longest time between two commits; 0: protect it no longer
    record ProtectVm(long term, String vm, int vmSlot, int checkpointUs) implements AgentRequest {
        public ProtectVm {
            requireNonNull(vm, "vm is null");
        }
    }

    /// Recover what a host that has stopped left behind, and free its slot. Answered by [Reply.Ack].
    record FreeHost(long term, int hostSlot, long incarnation) implements AgentRequest {
    }

    /// A VM that is LOST is destroyed and created anew, here, in the same slot. Answered by [Reply.VmReply].
    record RestartVm(long term, VmSpec spec, int vmSlot) implements AgentRequest {
        public RestartVm {
            requireNonNull(spec, "spec is null");
        }
    }
}
