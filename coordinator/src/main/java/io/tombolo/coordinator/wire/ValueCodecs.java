package io.tombolo.coordinator.wire;

/// Codecs of the records that occur inside messages.
final class ValueCodecs {
    static final Codec<VmSpec> VM_SPEC = Codec.inner(VmSpec.class, (w, v) -> {
        w.string(v.name());
        w.uuid(v.uuid());
        w.string(v.driver());
        w.i64(v.memoryBytes());
        w.i32(v.vcpus());
        w.string(v.program());
        w.i64(v.workingSetBytes());
        w.string(v.pattern());
        w.i64(v.seed());
        w.string(v.tier());
        w.i32(v.pageBytes());
        w.i32(v.checkpointUs());
        w.string(v.onHostFailure());
    }, r -> new VmSpec(r.string(), r.uuid(), r.string(), r.i64(), r.i32(), r.string(), r.i64(), r.string(), r.i64(),
            r.string(), r.i32(), r.i32(), r.string()));

    static final Codec<PageWaits> PAGE_WAITS = Codec.inner(PageWaits.class, (w, v) -> {
        w.i64(v.count());
        w.i64(v.p99Ns());
        w.i64(v.maxNs());
    }, r -> new PageWaits(r.i64(), r.i64(), r.i64()));

    static final Codec<ProtectionStatus> PROTECTION_STATUS = Codec.inner(ProtectionStatus.class, (w, v) -> {
        w.bool(v.isProtected());
        w.i64(v.interval());
        w.i32(v.checkpointUs());
        w.i64(v.commits());
        w.i64(v.earlyCommits());
        w.i64(v.dirtyPagesLast());
        w.i64(v.dirtyPagesMean());
        w.i64(v.pauseP50Ns());
        w.i64(v.pauseP99Ns());
        w.i64(v.preimageFrames());
        w.i64(v.preimageLimit());
        w.i64(v.rolledBack());
    }, r -> new ProtectionStatus(r.bool(), r.i64(), r.i32(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(),
            r.i64(), r.i64(), r.i64()));

    static final Codec<VmStatus> VM_STATUS = Codec.inner(VmStatus.class, (w, v) -> {
        VM_SPEC.write(w, v.spec());
        w.i32(v.slot());
        w.string(v.ownerState());
        w.string(v.ownerHost());
        w.i64(v.epoch());
        w.list(v.instructions(), WireWriter::i64);
        w.string(v.reason());
        w.i64(v.localPages());
        w.i32(v.pageBytes());
        PAGE_WAITS.write(w, v.waits());
        PROTECTION_STATUS.write(w, v.protection());
    }, r -> new VmStatus(VM_SPEC.read(r), r.i32(), r.string(), r.string(), r.i64(), r.list(8, WireReader::i64),
            r.string(), r.i64(), r.i32(), PAGE_WAITS.read(r), PROTECTION_STATUS.read(r)));

    static final Codec<HostStatus> HOST_STATUS = Codec.inner(HostStatus.class, (w, v) -> {
        w.string(v.name());
        w.i32(v.slot());
        w.i64(v.incarnation());
        w.string(v.state());
        w.string(v.address());
        w.i32(v.port());
        w.i64(v.framesFree());
        w.i64(v.framesTotal());
        w.list(v.vms(), WireWriter::string);
    }, r -> new HostStatus(r.string(), r.i32(), r.i64(), r.string(), r.string(), r.i32(), r.i64(), r.i64(),
            r.list(2, WireReader::string)));

    static final Codec<HandoffReport> HANDOFF_REPORT = Codec.inner(HandoffReport.class, (w, v) -> {
        w.string(v.vm());
        w.string(v.fromHost());
        w.string(v.toHost());
        w.i64(v.intentSeq());
        w.i64(v.prepareNs());
        w.i64(v.quiesceNs());
        w.i64(v.publishNs());
        w.i64(v.switchNs());
        w.i64(v.resumeNs());
        w.i64(v.commitNs());
        w.i64(v.lastInstructionNs());
        w.i64(v.firstInstructionNs());
        w.i64(v.downtimeNs());
        w.i64(v.stateBytes());
        w.i64(v.bytesCopied());
        w.i64(v.epochBefore());
        w.i64(v.epochAfter());
        w.enumeration(v.outcome());
    }, r -> new HandoffReport(r.string(), r.string(), r.string(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(),
            r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(),
            r.enumeration(HandoffOutcome.values())));

    static final Codec<InputEntry> INPUT_ENTRY = Codec.inner(InputEntry.class, (w, v) -> {
        w.i32(v.vcpu());
        w.i64(v.instructions());
        w.i64(v.clientId());
        w.i64(v.seq());
        w.string(v.op());
        w.list(v.args(), WireWriter::i64);
    }, r -> new InputEntry(r.i32(), r.i64(), r.i64(), r.i64(), r.string(), r.list(8, WireReader::i64)));

    static final Codec<AgentRequest.CopyRun> COPY_RUN = Codec.inner(AgentRequest.CopyRun.class, (w, v) -> {
        w.i64(v.first());
        w.i32(v.count());
        w.bool(v.zero());
    }, r -> new AgentRequest.CopyRun(r.i64(), r.i32(), r.bool()));

    static final Codec<CopyReport> COPY_REPORT = Codec.inner(CopyReport.class, (w, v) -> {
        w.i32(v.rounds());
        w.i64(v.pages());
        w.i64(v.pagesSent());
        w.i64(v.bytesSent());
        w.i64(v.copyNs());
    }, r -> new CopyReport(r.i32(), r.i64(), r.i64(), r.i64(), r.i64()));

    static final Codec<MoveReport> MOVE_REPORT = Codec.inner(MoveReport.class, (w, v) -> {
        w.enumeration(v.mode());
        w.i64(v.pagesToShared());
        w.i64(v.pagesToLocal());
        w.i64(v.bytesMoved());
        w.i64(v.toSharedNs());
        w.i64(v.toLocalNs());
        w.i64(v.totalNs());
        w.i32(v.rounds());
    }, r -> new MoveReport(r.enumeration(MigrateMode.values()), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(),
            r.i32()));

    static final Codec<TierStatus.TierUse> TIER_USE = Codec.inner(TierStatus.TierUse.class, (w, v) -> {
        w.string(v.vm());
        w.i64(v.pages());
        w.i64(v.bytes());
    }, r -> new TierStatus.TierUse(r.string(), r.i64(), r.i64()));

    static final Codec<TierStatus> TIER_STATUS = Codec.inner(TierStatus.class, (w, v) -> {
        w.string(v.name());
        w.string(v.type());
        w.string(v.where());
        w.i64(v.bytes());
        w.i64(v.freeBytes());
        w.list(v.uses(), TIER_USE::write);
    }, r -> new TierStatus(r.string(), r.string(), r.string(), r.i64(), r.i64(), r.list(18, TIER_USE::read)));

    static final Codec<Reply.PinnedRange> PINNED_RANGE = Codec.inner(Reply.PinnedRange.class, (w, v) -> {
        w.i64(v.firstPage());
        w.i64(v.count());
        w.i32(v.pins());
    }, r -> new Reply.PinnedRange(r.i64(), r.i64(), r.i32()));

    static final Codec<Reply.Fact> FACT = Codec.inner(Reply.Fact.class, (w, v) -> {
        w.string(v.key());
        w.string(v.value());
    }, r -> new Reply.Fact(r.string(), r.string()));

    static final Codec<ClusterInfo> CLUSTER_INFO = Codec.inner(ClusterInfo.class, (w, v) -> {
        w.string(v.name());
        w.uuid(v.uuid());
        w.string(v.leader());
        w.i64(v.term());
        w.uuid(v.region());
        w.list(v.hosts(), HOST_STATUS::write);
        w.list(v.vms(), VM_STATUS::write);
        w.list(v.openIntents(), WireWriter::string);
    }, r -> new ClusterInfo(r.string(), r.uuid(), r.string(), r.i64(), r.uuid(), r.list(40, HOST_STATUS::read),
            r.list(60, VM_STATUS::read), r.list(2, WireReader::string)));

    static final Codec<TakeoverReport> TAKEOVER_REPORT = Codec.inner(TakeoverReport.class, (w, v) -> {
        w.string(v.vm());
        w.i32(v.vmSlot());
        w.string(v.fromHost());
        w.string(v.toHost());
        w.i64(v.epoch());
        w.string(v.phase());
        w.string(v.reason());
        w.string(v.text());
        w.list(v.inDoubt(), WireWriter::string);
        w.i64(v.suspectedNs());
        w.i64(v.fencedNs());
        w.i64(v.begunNs());
        w.i64(v.confirmedNs());
        w.i64(v.recoveredNs());
        w.i64(v.runningNs());
        w.i64(v.pagesRolledBack());
    }, r -> new TakeoverReport(r.string(), r.i32(), r.string(), r.string(), r.i64(), r.string(), r.string(), r.string(),
            r.list(2, WireReader::string), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64()));

    static final Codec<Reply.DrainedVm> DRAINED_VM = Codec.inner(Reply.DrainedVm.class, (w, v) -> {
        w.string(v.vm());
        w.string(v.toHost());
        w.string(v.outcome());
        w.string(v.text());
    }, r -> new Reply.DrainedVm(r.string(), r.string(), r.string(), r.string()));

    private ValueCodecs() {
    }
}
