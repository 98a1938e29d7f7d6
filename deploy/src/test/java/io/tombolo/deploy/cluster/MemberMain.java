package io.tombolo.deploy.cluster;

import io.tombolo.agent.right.WatchdogSettings;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.NotifySocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// Stands in for the project's command line where a test wants the processes and not what they do: `agent --config F`
/// and `coordinator --config F` are ready at once, agents pet; a name that begins with `broken` ends instead. `take
/// NAME STATE` says whether the name of a cluster is free.
final class MemberMain {
    private MemberMain() {
    }

    public static void main(String[] args) throws IOException {
        if (args[0].equals("supervisor")) {
            System.exit(ClusterDaemon.run(Path.of(args[1]),
                    new JavaPrograms(MemberMain.class.getName(), Optional.empty())));
        }
        if (args[0].equals("take")) {
            var store = ClusterStore.take(args[1], new ClusterPlaces(Path.of(args[2]), Path.of("/dev/shm")));
            System.out.println(store.isPresent() ? "free" : "held");
            store.ifPresent(ClusterStore::close);
            return;
        }
        String config = Files.readString(Path.of(args[2]));
        if (config.contains("\"broken")) {
            System.out.println("CONFIG_INVALID_VALUE: planted");
            System.exit(2);
        }
        WatchdogSettings settings = WatchdogSettings.fromEnvironment(System.getenv(), ProcessHandle.current().pid())
                .orElseThrow();
        try (NotifySocket socket = NotifySocket.sender(settings.socket())) {
            String ready = "READY=1\nSTATUS=" + args[0] + "\n";
            while (settings.watchdogNs().isPresent()) {
                if (!socket.send(ready + "WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=" + Linux.clockBoottimeNs())) {
                    System.exit(1);
                }
                LockSupport.parkNanos(settings.watchdogNs().get() / 4);
            }
            socket.send(ready);
            while (true) {
                LockSupport.park();
            }
        }
    }
}
