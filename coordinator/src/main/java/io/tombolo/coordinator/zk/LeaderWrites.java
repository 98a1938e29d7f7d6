package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.zookeeper.KeeperException;

/// Everything that a leading coordinator writes: VM records and intents. Every write is one transaction whose first
/// operation checks that the term's znode still has this leader's version, so a deposed leader changes nothing, however
/// late its write arrives. Reads are open to all. Thread safe.
///
/// When the connection is lost the write may have happened: each method then reads back before it says that it failed.
public final class LeaderWrites {
    private final ZkConnection zk;

    public LeaderWrites(ZkConnection zk) {
        this.zk = zk;
    }

    /// All VMs, by name.
    public List<VmRecord> vms() {
        return zk.readChildren(zk.paths().vms(), VmRecord.class).stream().map(Versioned::value).toList();
    }

    /// The record of one VM; empty when there is none.
    public Optional<Versioned<VmRecord>> vm(String name) {
        return zk.read(zk.paths().vm(name), VmRecord.class);
    }

    /// All open intents, by VM.
    public List<Versioned<IntentRecord>> intents() {
        return zk.readChildren(zk.paths().intents(), IntentRecord.class);
    }

    /// The open intent of one VM; empty when there is none.
    public Optional<Versioned<IntentRecord>> intent(String vm) {
        return zk.read(zk.paths().intent(vm), IntentRecord.class);
    }

    /// Sets a VM's name and slot aside.
    ///
    /// @throws TomboloException `VM_EXISTS`, `TERM_ENDED`
    public void createVm(long term, VmRecord record) {
        String path = zk.paths().vm(record.spec().name());
        write(term, List.of(new ZkPort.Change.Create(path, ZnodeJson.text(record))), KeeperException.Code.NODEEXISTS,
                () -> vm(record.spec().name()).map(Versioned::value).filter(record::equals).isPresent(),
                TomboloException.error(CoordinatorError.VM_EXISTS, "a VM of that name exists")
                        .fact("vm", record.spec().name()).next("choose another name").build());
    }

    /// Changes a VM's record; does nothing when it is the same.
    ///
    /// @param read what the change is based on
    /// @throws TomboloException `ZOOKEEPER_FAILED` when somebody else changed it since, `TERM_ENDED`
    public void updateVm(long term, Versioned<VmRecord> read, VmRecord next) {
        if (read.value().equals(next)) {
            return;
        }
        String path = zk.paths().vm(next.spec().name());
        write(term, List.of(new ZkPort.Change.SetData(path, ZnodeJson.text(next), read.version())),
                KeeperException.Code.BADVERSION,
                () -> vm(next.spec().name()).map(Versioned::value).filter(next::equals).isPresent(),
                changed(path));
    }

    /// Forgets a VM whose owner word is FREE again.
    ///
    /// @throws TomboloException `ZOOKEEPER_FAILED` when somebody else changed it since, `TERM_ENDED`
    public void deleteVm(long term, Versioned<VmRecord> read) {
        String path = zk.paths().vm(read.value().spec().name());
        write(term, List.of(new ZkPort.Change.Delete(path, read.version())), KeeperException.Code.BADVERSION,
                () -> zk.stat(path).isEmpty(), changed(path));
    }

    private static TomboloException changed(String path) {
        return TomboloException.error(CoordinatorError.ZOOKEEPER_FAILED, "a znode was changed by somebody else")
                .fact("path", path).next("repeat the command").build();
    }

    /// Opens the intent of a hand-off: checks that the VM's record is the one that was read, takes the next sequence
    /// number and creates the znode, all in one transaction.
    ///
    /// @param draft `seq` and `term` are filled in here
    /// @throws TomboloException `MIGRATION_IN_PROGRESS`, `TERM_ENDED`, `ZOOKEEPER_FAILED`
    public IntentRecord openIntent(long term, Versioned<VmRecord> vm, IntentRecord draft) {
        String parent = zk.paths().intents();
        String path = zk.paths().intent(draft.vm());
        int last = zk.stat(parent)
                .orElseThrow(() -> ZkConnection.failed(parent, new IllegalStateException("it is not there")))
                .getVersion();
        IntentRecord intent = new IntentRecord(draft.vm(), draft.vmSlot(), draft.from(), draft.fromSlot(), draft.to(),
                draft.toSlot(), draft.epoch(), term, last + 1L, draft.nonce());
        write(term,
                List.of(new ZkPort.Change.Check(zk.paths().vm(draft.vm()), vm.version()),
                        new ZkPort.Change.SetData(parent, "", last),
                        new ZkPort.Change.Create(path, ZnodeJson.text(intent))),
                KeeperException.Code.NODEEXISTS,
                () -> intent(draft.vm()).map(Versioned::value).filter(intent::equals).isPresent(),
                TomboloException.error(CoordinatorError.MIGRATION_IN_PROGRESS, "a hand-off of this VM is under way")
                        .fact("vm", draft.vm()).next("wait for it: tombolo vm show " + draft.vm()).build());
        return intent;
    }

    /// Closes an intent and brings the VM's record into line in the same transaction. Does nothing when the intent of
    /// that sequence number is not there any more.
    ///
    /// @param next the record to write, or the same as read
    /// @throws TomboloException `TERM_ENDED`, `ZOOKEEPER_FAILED`
    public void closeIntent(long term, IntentRecord intent, Versioned<VmRecord> vm, VmRecord next) {
        Optional<Versioned<IntentRecord>> open = intent(intent.vm()).filter(i -> i.value().seq() == intent.seq());
        if (open.isEmpty()) {
            return;
        }
        List<ZkPort.Change> operations = new ArrayList<>();
        operations.add(new ZkPort.Change.Delete(zk.paths().intent(intent.vm()), open.get().version()));
        if (!vm.value().equals(next)) {
            operations.add(new ZkPort.Change.SetData(zk.paths().vm(intent.vm()), ZnodeJson.text(next), vm.version()));
        }
        write(term, operations, KeeperException.Code.BADVERSION,
                () -> intent(intent.vm()).filter(i -> i.value().seq() == intent.seq()).isEmpty(),
                changed(zk.paths().intent(intent.vm())));
    }

    /// Names of the hosts on which no VM is to be placed.
    public Set<String> drained() {
        return Set.copyOf(zk.children(zk.paths().drained()));
    }

    /// Marks a host as drained, or takes the mark away. Does nothing when it is so already.
    ///
    /// @throws TomboloException `TERM_ENDED`
    public void setDrained(long term, String host, boolean drained) {
        if (drained().contains(host) == drained) {
            return;
        }
        String path = zk.paths().drained(host);
        ZkPort.Change change = drained
                ? new ZkPort.Change.Create(path, ZnodeJson.text(new DrainedRecord(host)))
                : new ZkPort.Change.Delete(path, -1);
        write(term, List.of(change), drained ? KeeperException.Code.NODEEXISTS : KeeperException.Code.NONODE,
                () -> drained().contains(host) == drained, changed(path));
    }

    /// Closes an intent whose VM has no record.
    public void dropIntent(long term, Versioned<IntentRecord> intent) {
        String path = zk.paths().intent(intent.value().vm());
        write(term, List.of(new ZkPort.Change.Delete(path, intent.version())), KeeperException.Code.BADVERSION,
                () -> zk.stat(path).isEmpty(), changed(path));
    }

    /// Throws `TERM_ENDED` when the term is over. An answer, not a promise.
    public void checkTerm(long term) {
        if (currentTerm() != term) {
            throw termEnded(term);
        }
    }

    /// The newest term.
    public long currentTerm() {
        return zk.stat(zk.paths().term()).map(stat -> (long) stat.getVersion()).orElse(0L);
    }

    private static TomboloException termEnded(long term) {
        return TomboloException
                .error(CoordinatorError.TERM_ENDED, "this coordinator's term is over; nothing was written")
                .fact("term", term).next("repeat the command").build();
    }

    private void write(long term, List<ZkPort.Change> operations, KeeperException.Code expected, BooleanSupplier done,
            TomboloException refusal) {
        List<ZkPort.Change> all = new ArrayList<>();
        all.add(new ZkPort.Change.Check(zk.paths().term(), Math.toIntExact(term)));
        all.addAll(operations);
        try {
            zk.transaction(all);
        } catch (ZkRefusal e) {
            // Also after a connection was lost and Curator repeated a transaction that had been done.
            if (done.getAsBoolean()) {
                return;
            }
            checkTerm(term);
            refusal.addSuppressed(e);
            throw e.is(expected) || e.is(KeeperException.Code.NONODE) || e.is(KeeperException.Code.BADVERSION)
                    ? refused(e, expected, refusal)
                    : e.toTombolo();
        } catch (TomboloException e) {
            if (e.code() != CoordinatorError.ZOOKEEPER_UNREACHABLE || !done.getAsBoolean()) {
                throw e;
            }
        }
    }

    private static TomboloException refused(ZkRefusal e, KeeperException.Code expected, TomboloException refusal) {
        return e.is(expected) ? refusal : changed(refusal.facts().getOrDefault("path", "vm record or intent counter"));
    }
}
