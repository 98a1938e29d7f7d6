package io.tombolo.coordinator.wire;

import static io.tombolo.coordinator.wire.ValueCodecs.CLUSTER_INFO;
import static io.tombolo.coordinator.wire.ValueCodecs.COPY_REPORT;
import static io.tombolo.coordinator.wire.ValueCodecs.DRAINED_VM;
import static io.tombolo.coordinator.wire.ValueCodecs.FACT;
import static io.tombolo.coordinator.wire.ValueCodecs.HANDOFF_REPORT;
import static io.tombolo.coordinator.wire.ValueCodecs.HOST_STATUS;
import static io.tombolo.coordinator.wire.ValueCodecs.INPUT_ENTRY;
import static io.tombolo.coordinator.wire.ValueCodecs.MOVE_REPORT;
import static io.tombolo.coordinator.wire.ValueCodecs.PINNED_RANGE;
import static io.tombolo.coordinator.wire.ValueCodecs.TAKEOVER_REPORT;
import static io.tombolo.coordinator.wire.ValueCodecs.TIER_STATUS;
import static io.tombolo.coordinator.wire.ValueCodecs.VM_STATUS;

import java.util.List;

/// Codecs of the handshake (15) and of the replies (96 to 127). An id is never used again.
final class ReplyCodecs {
    static final Codec<Hello> HELLO = new Codec<>(15, Hello.class, (w, v) -> {
        w.i32(v.major());
        w.i32(v.minor());
        w.uuid(v.cluster());
        w.enumeration(v.role());
        w.string(v.name());
        w.i64(v.incarnation());
        w.i64(v.highestTerm());
    }, r -> new Hello(r.i32(), r.i32(), r.uuid(), r.enumeration(Role.values()), r.string(), r.i64(), r.i64()));

    static final List<Codec<? extends Reply>> REPLIES = List.of(new Codec<>(96, Reply.Ack.class, (w, v) -> {
    }, r -> new Reply.Ack()), new Codec<>(97, Reply.Pong.class, (w, v) -> {
        w.i64(v.nonce());
        w.i64(v.monotonicNs());
    }, r -> new Reply.Pong(r.i64(), r.i64())), new Codec<>(98, Reply.ErrorReply.class, (w, v) -> {
        w.string(v.code());
        w.string(v.what());
        w.list(v.facts(), FACT::write);
        w.string(v.next());
        w.i32(v.exitStatus());
    }, r -> new Reply.ErrorReply(r.string(), r.string(), r.list(4, FACT::read), r.string(), r.i32())),
            new Codec<>(99, Reply.VmReply.class, (w, v) -> VM_STATUS.write(w, v.vm()),
                    r -> new Reply.VmReply(VM_STATUS.read(r))),
            new Codec<>(100, Reply.VmListReply.class, (w, v) -> w.list(v.vms(), VM_STATUS::write),
                    r -> new Reply.VmListReply(r.list(60, VM_STATUS::read))),
            new Codec<>(101, Reply.HostReply.class, (w, v) -> HOST_STATUS.write(w, v.host()),
                    r -> new Reply.HostReply(HOST_STATUS.read(r))),
            new Codec<>(102, Reply.HostListReply.class, (w, v) -> w.list(v.hosts(), HOST_STATUS::write),
                    r -> new Reply.HostListReply(r.list(40, HOST_STATUS::read))),
            new Codec<>(103, Reply.ClusterReply.class, (w, v) -> CLUSTER_INFO.write(w, v.cluster()),
                    r -> new Reply.ClusterReply(CLUSTER_INFO.read(r))),
            new Codec<>(104, Reply.Prepared.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.i32(v.vmSlot());
                w.i32(v.hostSlot());
                w.i64(v.incarnation());
            }, r -> new Reply.Prepared(r.i64(), r.i32(), r.i32(), r.i64())),
            new Codec<>(105, Reply.Cancelled.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.bool(v.armed());
                w.bool(v.owner());
                w.i64(v.epoch());
            }, r -> new Reply.Cancelled(r.i64(), r.bool(), r.bool(), r.i64())),
            new Codec<>(106, Reply.Switched.class, (w, v) -> HANDOFF_REPORT.write(w, v.report()),
                    r -> new Reply.Switched(HANDOFF_REPORT.read(r))),
            new Codec<>(107, Reply.HandoffState.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.enumeration(v.phase());
                w.bool(v.armed());
                w.i64(v.epoch());
            }, r -> new Reply.HandoffState(r.i64(), r.enumeration(HandoffPhase.values()), r.bool(), r.i64())),
            new Codec<>(108, Reply.WindowClosed.class, (w, v) -> {
                w.i64(v.intentSeq());
                w.bool(v.ran());
                w.i64(v.offerSeenNs());
                w.i64(v.runningNs());
                w.i64(v.firstInstructionNs());
                w.i64(v.bytesCopied());
                w.i64(v.epoch());
                w.string(v.reason());
            }, r -> new Reply.WindowClosed(r.i64(), r.bool(), r.i64(), r.i64(), r.i64(), r.i64(), r.i64(), r.string())),
            new Codec<>(109, Reply.Migrated.class, (w, v) -> {
                HANDOFF_REPORT.write(w, v.report());
                MOVE_REPORT.write(w, v.move());
                VM_STATUS.write(w, v.vm());
            }, r -> new Reply.Migrated(HANDOFF_REPORT.read(r), MOVE_REPORT.read(r), VM_STATUS.read(r))),
            new Codec<>(110, Reply.GuestReply.class, (w, v) -> {
                w.i64(v.clientId());
                w.i64(v.seq());
                w.enumeration(v.status());
                w.list(v.values(), WireWriter::i64);
            }, r -> new Reply.GuestReply(r.i64(), r.i64(), r.enumeration(GuestStatus.values()),
                    r.list(8, WireReader::i64))),
            new Codec<>(111, Reply.InputLog.class, (w, v) -> {
                w.i64(v.from());
                w.list(v.entries(), INPUT_ENTRY::write);
                w.i64(v.end());
            }, r -> new Reply.InputLog(r.i64(), r.list(32, INPUT_ENTRY::read), r.i64())),
            new Codec<>(112, Reply.PagesMoved.class, (w, v) -> {
                w.i64(v.vmPages());
                w.i32(v.pageBytes());
                w.i32(v.done());
                w.i32(v.notMoved());
                w.bytes(v.status());
                w.bytes(v.bits());
            }, r -> new Reply.PagesMoved(r.i64(), r.i32(), r.i32(), r.i32(), r.bytes(), r.bytes())),
            new Codec<>(113, Reply.PinList.class, (w, v) -> w.list(v.ranges(), PINNED_RANGE::write),
                    r -> new Reply.PinList(r.list(20, PINNED_RANGE::read))),
            new Codec<>(114, Reply.TierList.class, (w, v) -> w.list(v.tiers(), TIER_STATUS::write),
                    r -> new Reply.TierList(r.list(24, TIER_STATUS::read))),
            new Codec<>(115, Reply.MigrateProgress.class, (w, v) -> {
                w.enumeration(v.phase());
                w.i64(v.pagesDone());
                w.i64(v.pagesTotal());
                w.i64(v.bytesPerSecond());
                w.i32(v.round());
            }, r -> new Reply.MigrateProgress(r.enumeration(MigratePhase.values()), r.i64(), r.i64(), r.i64(),
                    r.i32())),
            new Codec<>(116, Reply.MigrateCancelled.class, (w, v) -> {
                w.enumeration(v.phase());
                w.bool(v.cancelled());
                VM_STATUS.write(w, v.vm());
            }, r -> new Reply.MigrateCancelled(r.enumeration(MigratePhase.values()), r.bool(), VM_STATUS.read(r))),
            new Codec<>(117, Reply.CopySwitched.class, (w, v) -> {
                HANDOFF_REPORT.write(w, v.report());
                COPY_REPORT.write(w, v.copy());
            }, r -> new Reply.CopySwitched(HANDOFF_REPORT.read(r), COPY_REPORT.read(r))),
            new Codec<>(118, Reply.CopyProgress.class, (w, v) -> {
                w.i32(v.round());
                w.i64(v.pagesDone());
                w.i64(v.pagesTotal());
                w.i64(v.bytesPerSecond());
            }, r -> new Reply.CopyProgress(r.i32(), r.i64(), r.i64(), r.i64())),
            new Codec<>(119, Reply.TakeoverStarted.class, (w, v) -> {
                w.i32(v.vmSlot());
                w.i64(v.epoch());
            }, r -> new Reply.TakeoverStarted(r.i32(), r.i64())),
            new Codec<>(120, Reply.TakeoverState.class, (w, v) -> {
                w.i32(v.vmSlot());
                w.string(v.phase());
                w.string(v.reason());
                w.list(v.inDoubt(), WireWriter::string);
                w.i64(v.begunNs());
                w.i64(v.confirmedNs());
                w.i64(v.recoveredNs());
                w.i64(v.runningNs());
                w.i64(v.pagesRolledBack());
            }, r -> new Reply.TakeoverState(r.i32(), r.string(), r.string(), r.list(2, WireReader::string), r.i64(),
                    r.i64(), r.i64(), r.i64(), r.i64())),
            new Codec<>(121, Reply.TakenOver.class, (w, v) -> {
                TAKEOVER_REPORT.write(w, v.report());
                VM_STATUS.write(w, v.vm());
            }, r -> new Reply.TakenOver(TAKEOVER_REPORT.read(r), VM_STATUS.read(r))),
            new Codec<>(122, Reply.Drained.class, (w, v) -> {
                w.string(v.host());
                w.list(v.vms(), DRAINED_VM::write);
            }, r -> new Reply.Drained(r.string(), r.list(8, DRAINED_VM::read))),
            new Codec<>(123, Reply.TakeoverList.class, (w, v) -> w.list(v.takeovers(), TAKEOVER_REPORT::write),
                    r -> new Reply.TakeoverList(r.list(60, TAKEOVER_REPORT::read))),
            new Codec<>(124, Reply.Reconciled.class, (w, v) -> {
                w.list(v.written(), WireWriter::string);
                w.list(v.removed(), WireWriter::string);
                w.list(v.unknown(), WireWriter::string);
            }, r -> new Reply.Reconciled(r.list(2, WireReader::string), r.list(2, WireReader::string),
                    r.list(2, WireReader::string))));

    private ReplyCodecs() {
    }
}
