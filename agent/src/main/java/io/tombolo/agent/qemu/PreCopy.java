package io.tombolo.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;

/// QEMU's own pre-copy of a guest in private memory over TCP loopback: its defaults (downtime limit 300 ms), without
/// the limit on bandwidth.
public final class PreCopy extends Comparison {
    public PreCopy(ComparisonSetup setup) {
        super(setup, "pre-copy", false);
    }

    @Override
    QemuDefinition.Memory memory(Path directory, long bytes) {
        return new QemuDefinition.Memory.Private();
    }

    @Override
    String listen(QemuGuest target) {
        target.call("migrate-incoming", Map.of("uri", "tcp:127.0.0.1:0"));
        JsonNode address = target.call("query-migrate", Map.of()).path("socket-address").path(0);
        return "tcp:127.0.0.1:" + address.path("port").asText();
    }
}
