package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.WatchdogSettings;
import java.util.HashMap;
import java.util.Map;

/// The watchdog of one process as a pure account: takes messages of the sd_notify protocol, says when the process has
/// to be killed. All times are CLOCK_BOOTTIME in ns, of one machine.
///
/// Counts from the time *in* the pet, which is that of the oldest check of all storing threads, and never from the
/// receipt: a pet that waited in the queue while this supervisor was stopped is as old as it is. A pet without a time
/// is refused, and so is one from the future and one from another process than the agent's main one (QEMU is in the
/// same group and must not be able to pet). The last pet counts, also one that carries an older time than the one
/// before.
///
/// One thread.
final class PetWatch {
    /// What a message was good for.
    enum Verdict {
        /// It moved the watchdog on.
        ARMED,
        /// It said something else that counts, such as READY=1.
        NOTED,
        /// It came from another process.
        REFUSED_SENDER,
        /// Its pet has no time, a malformed one or one from the future.
        REFUSED_TIME,
        /// It asks to be killed (WATCHDOG=trigger).
        TRIGGERED
    }

    private final long mainPid;
    private final long watchdogNs;
    private final Map<String, String> declared = new HashMap<>();
    private long armedFromNs;
    private long pets;
    private long refused;
    private boolean ready;
    private boolean stopping;

    /// @param watchdogNs W; Long.MAX_VALUE for a process that nobody watches
    /// @param startedNs the first bound counts from the start of the process; it is `startGraceNs` longer than W
    PetWatch(long mainPid, long watchdogNs, long startedNs, long startGraceNs) {
        this.mainPid = mainPid;
        this.watchdogNs = watchdogNs;
        this.armedFromNs = startedNs + startGraceNs;
    }

    Verdict take(String message, long senderPid, long nowNs) {
        requireNonNull(message, "message is null");
        if (senderPid != mainPid) {
            refused++;
            return Verdict.REFUSED_SENDER;
        }
        Map<String, String> keys = parse(message);
        keys.forEach((key, value) -> {
            if (key.equals("STATUS") || (key.startsWith("X_TOMBOLO_") && !key.equals(WatchdogSettings.CHECKED_KEY))) {
                declared.put(key, value);
            }
        });
        ready |= "1".equals(keys.get("READY"));
        stopping |= "1".equals(keys.get("STOPPING"));
        String watchdog = keys.get("WATCHDOG");
        if (watchdog == null) {
            return Verdict.NOTED;
        }
        if (watchdog.equals("trigger")) {
            return Verdict.TRIGGERED;
        }
        long checkedNs = time(keys.get(WatchdogSettings.CHECKED_KEY));
        if (checkedNs < 0 || checkedNs > nowNs) {
            refused++;
            return Verdict.REFUSED_TIME;
        }
        armedFromNs = checkedNs;
        pets++;
        return Verdict.ARMED;
    }

    private static Map<String, String> parse(String message) {
        Map<String, String> keys = new HashMap<>();
        message.lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                keys.put(line.substring(0, equals), line.substring(equals + 1));
            }
        });
        return keys;
    }

    private static long time(String text) {
        try {
            return text == null ? -1 : Long.parseLong(text);
        } catch (NumberFormatException _) {
            return -1;
        }
    }

    /// When the process has to be killed; Long.MAX_VALUE for never.
    long dueNs() {
        return watchdogNs == Long.MAX_VALUE ? Long.MAX_VALUE : armedFromNs + watchdogNs;
    }

    /// The time the last pet carried, 0 before the first.
    long lastCheckedNs() {
        return pets == 0 ? 0 : armedFromNs;
    }

    boolean ready() {
        return ready;
    }

    boolean stopping() {
        return stopping;
    }

    long pets() {
        return pets;
    }

    long refused() {
        return refused;
    }

    /// What the process said of itself: STATUS and X_TOMBOLO_ keys, the last value of each.
    Map<String, String> declared() {
        return Map.copyOf(declared);
    }
}
