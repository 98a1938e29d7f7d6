package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/// Which guest each key of a history lives in: the one that was current when the key was first used. Thread safe.
final class Homes {
    private static final long WAIT_NS = 200_000_000;

    private final GuestVms vms;
    /// Whether a guest has one key only.
    private final boolean exclusive;
    private final Map<Long, GuestVms.Guest> homes = new ConcurrentHashMap<>();

    Homes(GuestVms vms, boolean exclusive) {
        this.vms = requireNonNull(vms, "vms is null");
        this.exclusive = exclusive;
    }

    /// The guest of a key; empty if it is gone or there is none at all, and the key with it.
    Optional<GuestVms.Guest> of(long key) {
        GuestVms.Guest known = homes.get(key);
        if (known == null) {
            Optional<GuestVms.Guest> now = free(key);
            if (now.isEmpty()) {
                LockSupport.parkNanos(this, WAIT_NS);
                now = free(key);
            }
            known = now.map(guest -> homes.computeIfAbsent(key, _ -> guest)).orElse(null);
        }
        return Optional.ofNullable(known).filter(guest -> guest.lostNs() == 0);
    }

    private Optional<GuestVms.Guest> free(long key) {
        Optional<GuestVms.Guest> now = vms.current();
        if (exclusive && now.isPresent() && homes.entrySet().stream()
                .anyMatch(e -> e.getKey() != key && e.getValue() == now.get())) {
            vms.retire(now.get());
            return Optional.empty();
        }
        return now;
    }

    /// Keys whose guest is still there, in order.
    List<Long> living() {
        return homes.entrySet().stream().filter(e -> e.getValue().lostNs() == 0).map(Map.Entry::getKey).sorted()
                .toList();
    }
}
