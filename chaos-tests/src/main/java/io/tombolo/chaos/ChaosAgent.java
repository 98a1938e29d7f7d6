package io.tombolo.chaos;

import io.tombolo.agent.AgentConfig;
import io.tombolo.agent.AgentMain;
import io.tombolo.coordinator.ConfigFile;
import java.nio.file.Path;

/// `tombolo agent` with one difference: it listens to the named moments of hand-offs with [HandoffHalt].
public final class ChaosAgent {
    private ChaosAgent() {
    }

    /// @param args `agent --config FILE`
    public static void main(String[] args) {
        Path config = Path.of(args[args.length - 1]);
        Path directory = Path.of(ConfigFile.load(config, AgentConfig.class).runDirectory());
        System.exit(AgentMain.run(config, new HandoffHalt(directory)));
    }
}
