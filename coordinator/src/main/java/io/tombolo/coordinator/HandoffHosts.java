package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;

/// Whether the two hosts of an intent are members of the cluster, told as events when it changes.
///
/// A slot is given to another host, or to another incarnation of the same one, as soon as it is free: so a host is
/// there only if slot, name and the incarnation that was seen first are the same.
///
/// Not thread safe.
public final class HandoffHosts {
    private final IntentRecord intent;
    private final Map<HandoffSide, Long> incarnations = new EnumMap<>(HandoffSide.class);
    private final EnumSet<HandoffSide> gone = EnumSet.noneOf(HandoffSide.class);

    /// Both are taken to be there.
    public HandoffHosts(IntentRecord intent) {
        this.intent = requireNonNull(intent, "intent is null");
    }

    /// What has changed since the last look.
    ///
    /// @param live all members
    public List<HandoffEvent> look(List<HostRecord> live) {
        List<HandoffEvent> changes = new ArrayList<>();
        for (HandoffSide side : HandoffSide.values()) {
            if (isThere(live, side) && gone.remove(side)) {
                changes.add(new HandoffEvent.HostBack(side));
            } else if (!isThere(live, side) && gone.add(side)) {
                changes.add(new HandoffEvent.HostGone(side));
            }
        }
        return changes;
    }

    private boolean isThere(List<HostRecord> live, HandoffSide side) {
        String name = side == HandoffSide.SOURCE ? intent.from() : intent.to();
        int slot = side == HandoffSide.SOURCE ? intent.fromSlot() : intent.toSlot();
        return live.stream().filter(host -> host.slot() == slot && host.name().equals(name))
                .anyMatch(host -> incarnations.computeIfAbsent(side, _ -> host.incarnation()) == host.incarnation());
    }
}
