package io.tombolo.coordinator;

import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.region.HostState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Which hosts are to be fenced because they are gone. A suspicion starts things and proves nothing: what is safe is
/// decided by slot words and owner words.
///
/// A host is suspected when its slot word is LIVE, owner words name it, and it has no record in ZooKeeper. A record
/// that is missing says little after ZooKeeper itself was away, or right after another leader was elected: hosts are
/// then about to write theirs again. So either this leader has seen the record of that very incarnation, or a whole
/// session time-out has passed in which it could have come. A leader whose own session is interrupted loses its term,
/// and the next term starts with a new detection.
///
/// Not thread safe.
public final class FailureDetection {
    private final long graceUntilNs;
    private final Set<Incarnation> seen = new HashSet<>();

    /// One incarnation of one host.
    public record Incarnation(int slot, long incarnation) {
    }

    /// One host slot, as it is looked at.
    ///
    /// @param owns        whether an owner word names it
    /// @param worthFencing whether one of those VMs is to go on elsewhere by itself
    public record Look(int slot, HostState state, long incarnation, boolean owns, boolean worthFencing) {
    }

    /// @param nowNs          when the term began
    /// @param sessionNs      session time-out of the hosts
    public FailureDetection(long nowNs, long sessionNs) {
        this.graceUntilNs = nowNs + sessionNs;
    }

    /// The incarnations to be fenced.
    ///
    /// @param records all members, read before `slots`
    public List<Incarnation> look(long nowNs, List<HostRecord> records, List<Look> slots) {
        Set<Incarnation> present = new HashSet<>();
        records.forEach(record -> present.add(new Incarnation(record.slot(), record.incarnation())));
        seen.addAll(present);
        List<Incarnation> gone = new ArrayList<>();
        for (Look one : slots) {
            Incarnation incarnation = new Incarnation(one.slot(), one.incarnation());
            boolean known = seen.contains(incarnation) || nowNs - graceUntilNs >= 0;
            if (one.state() == HostState.LIVE && one.owns() && one.worthFencing() && !present.contains(incarnation)
                    && known) {
                gone.add(incarnation);
            }
        }
        return gone;
    }
}
