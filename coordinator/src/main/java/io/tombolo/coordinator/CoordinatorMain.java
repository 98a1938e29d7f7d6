package io.tombolo.coordinator;

import io.tombolo.region.os.NotifySocket;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What `tombolo coordinator --config FILE` runs: one coordinator until it is told to end (SIGTERM).
public final class CoordinatorMain {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorMain.class);

    private CoordinatorMain() {
    }

    /// Runs a coordinator and tells a supervisor, if one listens (sd_notify(3)), when it is ready; returns the exit
    /// status.
    public static int run(Path configFile) {
        Coordinator coordinator = Coordinator.start(ConfigFile.load(configFile, CoordinatorConfig.class));
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("coordinator-shutdown").unstarted(() -> {
            coordinator.close();
            ended.countDown();
        }));
        String supervisor = System.getenv("NOTIFY_SOCKET");
        if (supervisor != null && !supervisor.isEmpty()) {
            try (NotifySocket socket = NotifySocket.sender(supervisor)) {
                if (!socket.send("READY=1")) {
                    LOG.warn("the supervisor did not take READY=1");
                }
            }
        }
        try {
            ended.await();
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        }
    }
}
