package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

/// How a hand-off ended for the one who asked for it.
///
/// @param code `""` for success, otherwise a [CoordinatorError] name
/// @param text what happened, one clause
public record HandoffResult(String code, String text) {
    static final HandoffResult SUCCESS = new HandoffResult("", "");

    public HandoffResult {
        requireNonNull(code, "code is null");
        requireNonNull(text, "text is null");
    }

    static HandoffResult of(CoordinatorError code, String text) {
        return new HandoffResult(code.name(), text);
    }

    /// Whether the target has the VM.
    public boolean succeeded() {
        return code.isEmpty();
    }
}
