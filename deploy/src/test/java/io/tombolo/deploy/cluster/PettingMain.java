package io.tombolo.deploy.cluster;

import io.tombolo.agent.right.WatchdogSettings;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.NotifySocket;
import java.util.concurrent.locks.LockSupport;

/// A process for tests that behaves to its supervisor as `args[0]` says: `pet`, `stuck` (pets on with the time of one
/// old check), `silent` (ready, then no pet), `exit` (ready, then ends with status 3), `fail` (ends before it is
/// ready).
final class PettingMain {
    private PettingMain() {
    }

    public static void main(String[] args) {
        WatchdogSettings settings = WatchdogSettings
                .fromEnvironment(System.getenv(), ProcessHandle.current().pid()).orElseThrow();
        System.out.println("petting as " + args[0]);
        if (args[0].equals("fail")) {
            System.out.println("the port is taken");
            System.exit(4);
        }
        try (NotifySocket socket = NotifySocket.sender(settings.socket())) {
            long checked = Linux.clockBoottimeNs();
            socket.send("READY=1\nX_TOMBOLO_SLOT=2\nX_TOMBOLO_INCARNATION=5\n" + pet(checked));
            if (args[0].equals("exit")) {
                System.exit(3);
            }
            while (true) {
                LockSupport.parkNanos(settings.watchdogNs().orElse(1_000_000_000L) / 8);
                switch (args[0]) {
                    case "pet" -> socket.send(pet(Linux.clockBoottimeNs()));
                    case "stuck" -> socket.send(pet(checked));
                    default -> {
                    }
                }
            }
        }
    }

    private static String pet(long checkedNs) {
        return "WATCHDOG=1\n" + WatchdogSettings.CHECKED_KEY + "=" + checkedNs;
    }
}
