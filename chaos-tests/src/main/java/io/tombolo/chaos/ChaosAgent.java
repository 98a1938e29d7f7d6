package io.tombolo.chaos;

import io.tombolo.agent.AgentConfig;
import io.tombolo.agent.AgentMain;
import io.tombolo.chaos.cluster.RunLog;
import io.tombolo.coordinator.ConfigFile;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;

/// `tombolo agent` with two differences: it listens to the named moments of hand-offs with [HandoffHalt], and writes
/// down who executes when with [RunLog].
public final class ChaosAgent {
    private ChaosAgent() {
    }

    /// Runs an agent until it ends.
    ///
    /// @param args `agent --config FILE`
    public static void main(String[] args) {
        Path config = Path.of(args[args.length - 1]);
        Path directory = Path.of(ConfigFile.load(config, AgentConfig.class).runDirectory());
        int status;
        try {
            status = AgentMain.run(config, new HandoffHalt(directory), RunLog.create(directory));
        } catch (TomboloException e) {
            // As the command line does: one sentence, and the status of its code.
            System.err.println(e.getMessage());
            status = e.code().exitStatus();
        }
        System.exit(status);
    }
}
