package io.tombolo.coordinator;

import java.util.Map;

/// One fence agent of one host: a command with the calling convention of the fence-agents package.
///
/// @param command   path or name of the command, for example `fence_ipmilan`
/// @param options   its options, given on its standard input as `key=value` lines; `action` is added here
/// @param trusted   whether `status` = off, asked after `off` succeeded, is proof that the host has stopped: only for
///                  devices that cut the power and cannot be wrong about it
/// @param timeoutMs after this long it is killed with its process group
public record FenceAgentConfig(String command, @Defaulted("{}") Map<String, String> options,
        @Defaulted("false") boolean trusted, @Defaulted("20000") int timeoutMs) {
    public FenceAgentConfig {
        ConfigFile.check(command != null && !command.isBlank(), "fencing.command", command, "a command");
        options = options == null ? Map.of() : Map.copyOf(options);
        ConfigFile.check(!options.containsKey("action"), "fencing.options.action", options.get("action"),
                "no action: only off and status are ever sent");
        timeoutMs = timeoutMs == 0 ? 20_000 : timeoutMs;
        ConfigFile.check(timeoutMs >= 100 && timeoutMs <= 600_000, "fencing.timeoutMs", timeoutMs, "100 to 600000");
    }

    /// The command without its directory.
    String name() {
        return command.substring(command.lastIndexOf('/') + 1);
    }
}
