package io.tombolo.deploy.drill;

import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.Reply.Migrated;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The cluster a drill works on. Calls block until the thing is done and throw
/// [io.tombolo.region.TomboloException] when it cannot be. Used by one thread, except [#call], [#look] and [#close].
public interface DrillCluster extends AutoCloseable {
    /// Names of its hosts, in the order in which the VM goes round.
    List<String> hosts();

    /// The region file.
    Path region();

    VmStatus create(VmSpec vm, String host);

    Migrated migrate(String vm, String toHost, MigrateMode mode);

    /// Moves all pages of a VM, which may run, to shared memory: nobody but its host can read the others.
    ///
    /// @throws io.tombolo.region.TomboloException `PAGES_NOT_MOVED` when one stays
    void moveToShared(String vm);

    /// Stops the vCPUs; the answer holds the instruction count of each.
    VmStatus pause(String vm);

    VmStatus show(String vm);

    /// What the agent of one host knows of the guest now; empty when that host does not own the VM or does not answer
    /// at once. Costs the guest nothing. Any thread may call.
    Optional<GuestLook> look(String host, String vm);

    /// Where a host puts what a guest of it prints; there need not be such a file.
    Path console(String vm, String host);

    /// All client requests that the VM has executed, whichever host it was on.
    List<InputEntry> inputLog(String vm);

    /// Asks the agent of one host for an operation of the guest, which need not be there. Never repeats it. Waits a
    /// second at most. Any thread may call.
    GuestReply call(String host, GuestCall call);

    void destroy(String vm);

    /// One line that tells a person how to go on with the cluster after `--keep`.
    String describe();

    /// Stops every process that was started and removes their files. Any thread may call; the second call does nothing
    /// but wait for the first.
    @Override
    void close();
}
