package io.tombolo.coordinator.zk;

import java.io.IOException;
import org.apache.zookeeper.server.quorum.QuorumPeerMain;

/// Entry point of a ZooKeeper server process that must not outlive its parent: the parent holds the other end of the
/// standard input, and the kernel closes it however the parent ends. Everything else is ZooKeeper's own
/// `QuorumPeerMain`, which also serves a configuration with one server.
public final class ZooKeeperMain {
    private static final int PARENT_GONE = 3;

    private ZooKeeperMain() {
    }

    /// Runs a server until it is killed.
    ///
    /// @param args the configuration file
    public static void main(String[] args) {
        Thread.ofPlatform().daemon().name("parent-watch").start(() -> {
            try {
                // The parent never writes.
                while (System.in.read() >= 0) {
                    Thread.onSpinWait();
                }
            } catch (IOException e) {
                System.err.println("standard input: " + e);
            }
            Runtime.getRuntime().halt(PARENT_GONE);
        });
        QuorumPeerMain.main(args);
    }
}
