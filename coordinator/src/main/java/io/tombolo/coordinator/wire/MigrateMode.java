package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// How the memory of a VM gets to its new host (docs/page-moves.md, Modes of a migration).
public enum MigrateMode {
    /// All pages are in shared memory and stay there.
    HANDOFF,
    /// Local pages go to shared memory, the VM is handed over, and they go to the new host's own memory.
    TRANSIT,
    /// Pages are sent from agent to agent.
    COPY;

    /// As people write it: `handoff`, `transit`, `copy`.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The mode of that text, if there is one.
    public static Optional<MigrateMode> ofText(String text) {
        requireNonNull(text, "text is null");
        return Stream.of(values()).filter(mode -> mode.text().equals(text)).findFirst();
    }
}
