package io.tombolo.agent;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.coordinator.ConfigFile;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What `tombolo agent --config FILE` runs: one agent until it is told to end (SIGTERM) or its incarnation ends by
/// itself.
public final class AgentMain {
    /// Exit status when the incarnation ended by itself (fenced, slot taken, supervisor gone); a new process may start.
    public static final int EXIT_INCARNATION_ENDED = 71;

    private static final Logger LOG = LoggerFactory.getLogger(AgentMain.class);

    private AgentMain() {
    }

    /// Runs an agent; returns the exit status.
    public static int run(Path configFile) {
        return run(configFile, HostCore.NO_POINTS, RunObserver.NONE);
    }

    /// The same for a chaos run, which listens to the named moments of hand-offs and to who executes when.
    public static int run(Path configFile, Consumer<HandoffPoint> points, RunObserver runs) {
        Agent agent = Agent.start(ConfigFile.load(configFile, AgentConfig.class), ZooKeeperMembership::open, points,
                runs);
        Thread hook = Thread.ofPlatform().name("agent-shutdown").unstarted(agent::close);
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            LapseReason reason = agent.awaitEnd();
            LOG.info("the incarnation ended: {}", reason);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return EXIT_INCARNATION_ENDED;
    }
}
