package io.tombolo.coordinator.wire;

import static io.tombolo.coordinator.wire.ValueCodecs.COPY_RUN;
import static io.tombolo.coordinator.wire.ValueCodecs.VM_SPEC;

import java.util.List;

/// Codecs of the requests. An id is never used again, also when its message goes away: 16 to 63 agents, 64 to 95
/// coordinators.
final class RequestCodecs {
    static final List<Codec<? extends AgentRequest>> AGENT = List.of(
            new Codec<>(16, AgentRequest.Ping.class, (w, v) -> w.i64(v.nonce()), r -> new AgentRequest.Ping(r.i64())),
            new Codec<>(17, AgentRequest.CreateVm.class, (w, v) -> {
                w.i64(v.term());
                w.i32(v.vmSlot());
                VM_SPEC.write(w, v.spec());
            }, r -> new AgentRequest.CreateVm(r.i64(), r.i32(), VM_SPEC.read(r))),
            new Codec<>(18, AgentRequest.DestroyVm.class, (w, v) -> onVm(w, v.term(), v.vm(), v.vmSlot()),
                    r -> new AgentRequest.DestroyVm(r.i64(), r.string(), r.i32())),
            new Codec<>(19, AgentRequest.PauseVm.class, (w, v) -> onVm(w, v.term(), v.vm(), v.vmSlot()),
                    r -> new AgentRequest.PauseVm(r.i64(), r.string(), r.i32())),
            new Codec<>(20, AgentRequest.ResumeVm.class, (w, v) -> onVm(w, v.term(), v.vm(), v.vmSlot()),
                    r -> new AgentRequest.ResumeVm(r.i64(), r.string(), r.i32())),
            new Codec<>(21, AgentRequest.ListVms.class, (w, v) -> {
            }, r -> new AgentRequest.ListVms()),
            new Codec<>(22, AgentRequest.ShowVm.class, (w, v) -> w.string(v.vm()),
                    r -> new AgentRequest.ShowVm(r.string())),
            new Codec<>(23, AgentRequest.PrepareTarget.class, (w, v) -> {
                w.i64(v.term());
                w.i64(v.intentSeq());
                VM_SPEC.write(w, v.spec());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
                w.i32(v.fromSlot());
                w.string(v.fromHost());
                w.i64(v.nonce());
            }, r -> new AgentRequest.PrepareTarget(r.i64(), r.i64(), VM_SPEC.read(r), r.i32(), r.i64(), r.i32(),
                    r.string(), r.i64())),
            new Codec<>(24, AgentRequest.CancelIntent.class, (w, v) -> {
                w.i64(v.term());
                w.i64(v.intentSeq());
                w.string(v.vm());
                w.i32(v.vmSlot());
            }, r -> new AgentRequest.CancelIntent(r.i64(), r.i64(), r.string(), r.i32())),
            new Codec<>(25, AgentRequest.SwitchOver.class, (w, v) -> {
                w.i64(v.term());
                w.i64(v.intentSeq());
                w.string(v.vm());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
                w.i32(v.toSlot());
                w.string(v.toName());
                w.string(v.toHost());
                w.i32(v.toPort());
                w.i64(v.nonce());
            }, r -> new AgentRequest.SwitchOver(r.i64(), r.i64(), r.string(), r.i32(), r.i64(), r.i32(), r.string(),
                    r.string(), r.i32(), r.i64())),
            new Codec<>(26, AgentRequest.HandoffStatus.class, (w, v) -> {
                w.i32(v.vmSlot());
                w.i64(v.intentSeq());
            }, r -> new AgentRequest.HandoffStatus(r.i32(), r.i64())),
            new Codec<>(27, AgentRequest.OpenWindow.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
                w.i64(v.windowNs());
            }, r -> new AgentRequest.OpenWindow(r.i64(), r.i32(), r.i64(), r.i64())),
            new Codec<>(28, AgentRequest.FinishSource.class, (w, v) -> {
                w.i64(v.term());
                w.i64(v.intentSeq());
                w.string(v.vm());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
            }, r -> new AgentRequest.FinishSource(r.i64(), r.i64(), r.string(), r.i32(), r.i64())),
            new Codec<>(29, AgentRequest.GuestCall.class, (w, v) -> {
                w.string(v.vm());
                w.i64(v.clientId());
                w.i64(v.seq());
                w.string(v.op());
                w.list(v.args(), WireWriter::i64);
            }, r -> new AgentRequest.GuestCall(r.string(), r.i64(), r.i64(), r.string(), r.list(8, WireReader::i64))),
            new Codec<>(30, AgentRequest.FetchInputLog.class, (w, v) -> {
                w.string(v.vm());
                w.i64(v.from());
            }, r -> new AgentRequest.FetchInputLog(r.string(), r.i64())),
            new Codec<>(31, AgentRequest.DescribeHost.class, (w, v) -> {
            }, r -> new AgentRequest.DescribeHost()),
            new Codec<>(32, AgentRequest.MovePages.class, (w, v) -> {
                w.string(v.vm());
                w.i64(v.firstPage());
                w.i32(v.count());
                w.i32(v.tier());
                w.i32(v.budgetMs());
            }, r -> new AgentRequest.MovePages(r.string(), r.i64(), r.i32(), r.i32(), r.i32())),
            new Codec<>(33, AgentRequest.PinPages.class, (w, v) -> {
                w.string(v.vm());
                w.i64(v.firstPage());
                w.i64(v.count());
                w.bool(v.pin());
            }, r -> new AgentRequest.PinPages(r.string(), r.i64(), r.i64(), r.bool())),
            new Codec<>(34, AgentRequest.ListPins.class, (w, v) -> w.string(v.vm()),
                    r -> new AgentRequest.ListPins(r.string())),
            new Codec<>(35, AgentRequest.ListTiers.class, (w, v) -> {
            }, r -> new AgentRequest.ListTiers()),
            new Codec<>(36, AgentRequest.PrepareCopy.class, (w, v) -> {
                w.i64(v.term());
                w.i64(v.intentSeq());
                VM_SPEC.write(w, v.spec());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
                w.i32(v.fromSlot());
                w.string(v.fromHost());
                w.i64(v.nonce());
            }, r -> new AgentRequest.PrepareCopy(r.i64(), r.i64(), VM_SPEC.read(r), r.i32(), r.i64(), r.i32(),
                    r.string(), r.i64())),
            new Codec<>(37, AgentRequest.SwitchCopy.class, (w, v) -> {
                w.i64(v.term());
                w.i64(v.intentSeq());
                w.string(v.vm());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
                w.i32(v.toSlot());
                w.string(v.toName());
                w.string(v.toHost());
                w.i32(v.toPort());
                w.i64(v.nonce());
                w.i32(v.downtimeMs());
                w.i32(v.timeMs());
            }, r -> new AgentRequest.SwitchCopy(r.i64(), r.i64(), r.string(), r.i32(), r.i64(), r.i32(), r.string(),
                    r.string(), r.i32(), r.i64(), r.i32(), r.i32())),
            new Codec<>(38, AgentRequest.CopyPages.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
                w.list(v.runs(), COPY_RUN::write);
                w.copied(v.bytes());
            }, r -> new AgentRequest.CopyPages(r.i64(), r.i32(), r.i64(), r.list(13, COPY_RUN::read), r.copied())),
            new Codec<>(39, AgentRequest.SealCopy.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.i32(v.vmSlot());
                w.i64(v.epoch());
            }, r -> new AgentRequest.SealCopy(r.i64(), r.i32(), r.i64())),
            new Codec<>(40, AgentRequest.AskCopy.class, (w, v) -> {
                w.i32(v.vmSlot());
                w.i64(v.intentSeq());
            }, r -> new AgentRequest.AskCopy(r.i32(), r.i64())),
            new Codec<>(41, AgentRequest.FenceHost.class, (w, v) -> {
                w.i64(v.term());
                w.i32(v.hostSlot());
                w.i64(v.incarnation());
            }, r -> new AgentRequest.FenceHost(r.i64(), r.i32(), r.i64())),
            new Codec<>(42, AgentRequest.ConfirmStopped.class, (w, v) -> {
                w.i64(v.term());
                w.i32(v.hostSlot());
                w.i64(v.incarnation());
                w.string(v.evidence());
            }, r -> new AgentRequest.ConfirmStopped(r.i64(), r.i32(), r.i64(), r.string())),
            new Codec<>(43, AgentRequest.TakeOver.class, (w, v) -> {
                w.i64(v.term());
                VM_SPEC.write(w, v.spec());
                w.i32(v.vmSlot());
                w.i64(v.ownerEpoch());
            }, r -> new AgentRequest.TakeOver(r.i64(), VM_SPEC.read(r), r.i32(), r.i64())),
            new Codec<>(44, AgentRequest.AskTakeover.class, (w, v) -> w.i32(v.vmSlot()),
                    r -> new AgentRequest.AskTakeover(r.i32())),
            new Codec<>(45, AgentRequest.ProtectVm.class, (w, v) -> {
                onVm(w, v.term(), v.vm(), v.vmSlot());
                w.i32(v.checkpointUs());
            }, r -> new AgentRequest.ProtectVm(r.i64(), r.string(), r.i32(), r.i32())),
            new Codec<>(46, AgentRequest.RestartVm.class, (w, v) -> {
                w.i64(v.term());
                VM_SPEC.write(w, v.spec());
                w.i32(v.vmSlot());
            }, r -> new AgentRequest.RestartVm(r.i64(), VM_SPEC.read(r), r.i32())),
            new Codec<>(47, AgentRequest.FreeHost.class, (w, v) -> {
                w.i64(v.term());
                w.i32(v.hostSlot());
                w.i64(v.incarnation());
            }, r -> new AgentRequest.FreeHost(r.i64(), r.i32(), r.i64())));

    static final List<Codec<? extends CoordinatorRequest>> COORDINATOR = List
            .of(new Codec<>(64, CoordinatorRequest.VmCreate.class, (w, v) -> {
                VM_SPEC.write(w, v.spec());
                w.string(v.host());
            }, r -> new CoordinatorRequest.VmCreate(VM_SPEC.read(r), r.string())),
                    new Codec<>(65, CoordinatorRequest.VmDestroy.class, (w, v) -> w.string(v.vm()),
                            r -> new CoordinatorRequest.VmDestroy(r.string())),
                    new Codec<>(66, CoordinatorRequest.VmPause.class, (w, v) -> w.string(v.vm()),
                            r -> new CoordinatorRequest.VmPause(r.string())),
                    new Codec<>(67, CoordinatorRequest.VmResume.class, (w, v) -> w.string(v.vm()),
                            r -> new CoordinatorRequest.VmResume(r.string())),
                    new Codec<>(68, CoordinatorRequest.VmMigrate.class, (w, v) -> {
                        w.string(v.vm());
                        w.string(v.toHost());
                        w.enumeration(v.mode());
                        w.i32(v.moveTimeoutMs());
                        w.i32(v.downtimeLimitMs());
                    }, r -> new CoordinatorRequest.VmMigrate(r.string(), r.string(),
                            r.enumeration(MigrateMode.values()), r.i32(), r.i32())),
                    new Codec<>(69, CoordinatorRequest.VmList.class, (w, v) -> {
                    }, r -> new CoordinatorRequest.VmList()),
                    new Codec<>(70, CoordinatorRequest.VmShow.class, (w, v) -> w.string(v.vm()),
                            r -> new CoordinatorRequest.VmShow(r.string())),
                    new Codec<>(71, CoordinatorRequest.HostList.class, (w, v) -> {
                    }, r -> new CoordinatorRequest.HostList()),
                    new Codec<>(72, CoordinatorRequest.HostShow.class, (w, v) -> w.string(v.host()),
                            r -> new CoordinatorRequest.HostShow(r.string())),
                    new Codec<>(73, CoordinatorRequest.ClusterStatus.class, (w, v) -> {
                    }, r -> new CoordinatorRequest.ClusterStatus()),
                    new Codec<>(74, CoordinatorRequest.VmMigrateProgress.class, (w, v) -> w.string(v.vm()),
                            r -> new CoordinatorRequest.VmMigrateProgress(r.string())),
                    new Codec<>(75, CoordinatorRequest.VmMigrateCancel.class, (w, v) -> w.string(v.vm()),
                            r -> new CoordinatorRequest.VmMigrateCancel(r.string())),
                    new Codec<>(76, CoordinatorRequest.VmProtect.class, (w, v) -> {
                        w.string(v.vm());
                        w.i32(v.checkpointUs());
                    }, r -> new CoordinatorRequest.VmProtect(r.string(), r.i32())),
                    new Codec<>(77, CoordinatorRequest.VmTakeover.class, (w, v) -> {
                        w.string(v.vm());
                        w.string(v.toHost());
                        w.string(v.deadHost());
                    }, r -> new CoordinatorRequest.VmTakeover(r.string(), r.string(), r.string())),
                    new Codec<>(78, CoordinatorRequest.HostFence.class, (w, v) -> {
                        w.string(v.host());
                        w.string(v.knownDead());
                    }, r -> new CoordinatorRequest.HostFence(r.string(), r.string())),
                    new Codec<>(79, CoordinatorRequest.HostDrain.class, (w, v) -> {
                        w.string(v.host());
                        w.bool(v.drain());
                    }, r -> new CoordinatorRequest.HostDrain(r.string(), r.bool())),
                    new Codec<>(80, CoordinatorRequest.HostRemove.class, (w, v) -> w.string(v.host()),
                            r -> new CoordinatorRequest.HostRemove(r.string())),
                    new Codec<>(81, CoordinatorRequest.Takeovers.class, (w, v) -> {
                    }, r -> new CoordinatorRequest.Takeovers()),
                    new Codec<>(82, CoordinatorRequest.Reconcile.class, (w, v) -> {
                    }, r -> new CoordinatorRequest.Reconcile()));

    private RequestCodecs() {
    }

    private static void onVm(WireWriter w, long term, String vm, int vmSlot) {
        w.i64(term);
        w.string(vm);
        w.i32(vmSlot);
    }
}
