package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

/// How a process reaches ZooKeeper.
///
/// @param connect          `host:port` of the servers, with commas between them
/// @param root             znode under which the cluster lives; `""` means `/tombolo/<cluster name>`
/// @param sessionTimeoutMs session timeout to ask for; the servers grant 2 to 20 of their ticks
public record ZooKeeperConfig(String connect, @Defaulted("\"\"") String root,
        @Defaulted("2000") int sessionTimeoutMs) {
    public ZooKeeperConfig {
        requireNonNull(connect, "connect is null");
        requireNonNull(root, "root is null");
        ConfigFile.check(!connect.isBlank() && !connect.contains("/"), "zookeeper.connect", connect,
                "host:port,host:port… without a path");
        ConfigFile.check(root.isEmpty() || (root.startsWith("/") && !root.endsWith("/")), "zookeeper.root", root,
                "an absolute path without a slash at its end");
        ConfigFile.check(sessionTimeoutMs >= 100 && sessionTimeoutMs <= 600_000, "zookeeper.sessionTimeoutMs",
                sessionTimeoutMs, "100 to 600000");
    }

    /// The root of a cluster of that name.
    public String rootFor(String clusterName) {
        return root.isEmpty() ? "/tombolo/" + clusterName : root;
    }
}
