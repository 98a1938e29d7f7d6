package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Map;

/// Where the files of local clusters go.
///
/// @param state one directory per cluster below it: configurations, logs, `cluster.json`
/// @param memory a memory file system with room for the regions; a run's directory is made in it
public record ClusterPlaces(Path state, Path memory) {
    public ClusterPlaces {
        state = requireNonNull(state, "state is null").toAbsolutePath();
        memory = requireNonNull(memory, "memory is null").toAbsolutePath();
    }

    /// `$TOMBOLO_STATE`, else `$XDG_STATE_HOME/tombolo`, else `~/.local/state/tombolo`; regions in /dev/shm.
    public static ClusterPlaces standard() {
        return standard(System.getenv(), System.getProperty("user.home"));
    }

    static ClusterPlaces standard(Map<String, String> environment, String home) {
        String own = environment.getOrDefault("TOMBOLO_STATE", "");
        String xdg = environment.getOrDefault("XDG_STATE_HOME", "");
        Path state = !own.isEmpty()
                ? Path.of(own)
                : (xdg.isEmpty() ? Path.of(home, ".local", "state") : Path.of(xdg)).resolve("tombolo");
        return new ClusterPlaces(state, Path.of("/dev/shm"));
    }

    Path directory(String cluster) {
        return state.resolve(cluster);
    }
}
