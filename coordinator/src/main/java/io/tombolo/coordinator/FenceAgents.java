package io.tombolo.coordinator;

import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// Runs fence agents: options on standard input, exit status 0 for success; `status` ends with 0 for on and 2 for off
/// (fence-agents, FenceAgentAPI.md). Only `off` and `status` are ever sent. Blocks.
final class FenceAgents {
    private static final int STATUS_OFF = 2;
    private static final int MAX_OUTPUT = 400;

    /// How a command ended.
    ///
    /// @param status exit status; -1: it did not start or was killed
    private record End(int status, String text) {
    }

    private FenceAgents() {
    }

    /// `off`, and for a trusted agent `status` afterwards.
    static HostFencing.Event.AgentEnded off(FenceAgentConfig agent) {
        End off = run(agent, "off");
        if (off.status() != 0) {
            return new HostFencing.Event.AgentEnded(false, off.text());
        }
        if (!agent.trusted()) {
            return new HostFencing.Event.AgentEnded(true, "says off");
        }
        End status = run(agent, "status");
        return status.status() == STATUS_OFF
                ? new HostFencing.Event.AgentEnded(true, "off, and its status says so")
                : new HostFencing.Event.AgentEnded(false, "says off, but its status does not: " + status.text());
    }

    private static End run(FenceAgentConfig agent, String action) {
        Map<String, String> options = new LinkedHashMap<>(agent.options());
        options.put("action", action);
        String input = options.entrySet().stream().map(option -> option.getKey() + "=" + option.getValue() + "\n")
                .collect(Collectors.joining());
        try {
            // A session of its own: whatever it starts dies with it.
            Process process = new ProcessBuilder("setsid", agent.command()).redirectErrorStream(true).start();
            try {
                return talk(process, agent, action, input);
            } finally {
                Linux.killGroup(process.pid(), Linux.SIGKILL);
                process.destroyForcibly();
            }
        } catch (IOException e) {
            return new End(-1, "FENCE_AGENT_NOT_STARTED " + agent.command() + ": " + e.getMessage());
        }
    }

    private static End talk(Process process, FenceAgentConfig agent, String action, String input) throws IOException {
        StringBuilder output = new StringBuilder();
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // It may end without reading them.
            output.append(e.getMessage()).append(' ');
        }
        Thread reader = Thread.ofVirtual().start(() -> read(process, output));
        try {
            if (!process.waitFor(agent.timeoutMs(), TimeUnit.MILLISECONDS)) {
                return new End(-1, "FENCE_AGENT_HANGS action=" + action + ": no end within " + agent.timeoutMs()
                        + " ms; killed");
            }
            reader.join(1_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new End(-1, "interrupted");
        }
        String said;
        synchronized (output) {
            said = output.toString().strip().replace('\n', ' ');
        }
        return new End(process.exitValue(), process.exitValue() == 0
                ? said
                : "FENCE_AGENT_FAILED action=" + action + " status=" + process.exitValue() + ": " + said);
    }

    private static void read(Process process, StringBuilder into) {
        try (var reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (int c = reader.read(); c >= 0; c = reader.read()) {
                synchronized (into) {
                    if (into.length() < MAX_OUTPUT) {
                        into.append((char) c);
                    }
                }
            }
        } catch (IOException | UncheckedIOException e) {
            synchronized (into) {
                into.append(e.getMessage());
            }
        }
    }
}
