package io.tombolo.deploy;

import java.nio.file.Path;
import java.util.Map;

/// Where this user's files of Tombolo are: `$TOMBOLO_STATE`, else `$XDG_STATE_HOME/tombolo`, else `~/.local/state/tombolo`
/// (XDG Base Directory Specification).
public final class StateDirectory {
    private StateDirectory() {
    }

    public static Path resolve() {
        return resolve(System.getenv(), System.getProperty("user.home"));
    }

    static Path resolve(Map<String, String> environment, String home) {
        String own = environment.getOrDefault("TOMBOLO_STATE", "");
        if (!own.isEmpty()) {
            return Path.of(own);
        }
        String xdg = environment.getOrDefault("XDG_STATE_HOME", "");
        return (xdg.isEmpty() ? Path.of(home, ".local", "state") : Path.of(xdg)).resolve("tombolo");
    }
}
