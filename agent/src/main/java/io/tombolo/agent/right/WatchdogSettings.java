package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.util.Map;
import java.util.Optional;

/// What the environment says about the watchdog of this process, by the sd_notify protocol (sd_notify(3),
/// sd_watchdog_enabled(3)), plus `X_TOMBOLO_SUPERVISOR=1`, by which the project's own supervisor says that it arms from
/// the time in the pet.
///
/// @param socket path of the notify socket; a leading `@` stands for the abstract name space
/// @param watchdogNs W; empty if the supervisor watches no pets of this process (then READY=1 and the like are sent,
/// and
///        the host counts as one without a watchdog)
public record WatchdogSettings(String socket, Optional<Long> watchdogNs, PetMode mode) {
    /// Set by a supervisor that understands [#CHECKED_KEY].
    public static final String SUPERVISOR_KEY = "X_TOMBOLO_SUPERVISOR";
    /// In a pet: CLOCK_BOOTTIME in ns of the oldest check of all storing threads.
    public static final String CHECKED_KEY = "X_TOMBOLO_CHECKED_NS";

    public WatchdogSettings {
        requireNonNull(socket, "socket is null");
        requireNonNull(watchdogNs, "watchdogNs is null");
        requireNonNull(mode, "mode is null");
    }

    /// Reads the settings; empty if no supervisor listens.
    ///
    /// @throws TomboloException WATCHDOG_ENVIRONMENT_INVALID
    public static Optional<WatchdogSettings> fromEnvironment(Map<String, String> environment, long ownPid) {
        String socket = environment.get("NOTIFY_SOCKET");
        if (socket == null || socket.isEmpty()) {
            return Optional.empty();
        }
        if (!socket.startsWith("/") && !socket.startsWith("@")) {
            throw invalid("NOTIFY_SOCKET", socket);
        }
        String usec = environment.get("WATCHDOG_USEC");
        String pid = environment.get("WATCHDOG_PID");
        Optional<Long> watchdogNs = Optional.empty();
        // A WATCHDOG_USEC that was meant for a parent and inherited by accident is not ours.
        boolean ours = pid == null || positive("WATCHDOG_PID", pid) == ownPid;
        if (usec != null && ours) {
            watchdogNs = Optional.of(Math.multiplyExact(positive("WATCHDOG_USEC", usec), 1000L));
        }
        PetMode mode = "1".equals(environment.get(SUPERVISOR_KEY)) ? PetMode.TIMESTAMPED : PetMode.PLAIN;
        return Optional.of(new WatchdogSettings(socket, watchdogNs, mode));
    }

    private static long positive(String key, String value) {
        try {
            long number = Long.parseLong(value);
            if (number > 0 && number <= Long.MAX_VALUE / 1000) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw invalid(key, value);
        }
        throw invalid(key, value);
    }

    private static TomboloException invalid(String key, String value) {
        return TomboloException
                .error(RightError.WATCHDOG_ENVIRONMENT_INVALID,
                        "the supervisor set a value the protocol does not allow")
                .fact(key, value).next("start the agent by `tombolo up`, by systemd, or without " + key).build();
    }
}
