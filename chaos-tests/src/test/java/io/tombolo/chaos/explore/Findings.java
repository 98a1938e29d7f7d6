package io.tombolo.chaos.explore;

import static org.assertj.core.api.Assertions.assertThat;

/// What a test of an exploration asks for.
final class Findings {
    private Findings() {
    }

    /// Nothing is wrong, and everything was looked at: more than `states`.
    static void assertSound(Explorer.Result result, int states) {
        assertThat(result.violation()).isEmpty();
        assertThat(result.complete()).isTrue();
        assertThat(result.states()).isGreaterThan(states);
    }

    /// The bug that was planted is found; says after how much.
    static void assertFound(Enum<?> bug, Explorer.Result result) {
        System.out.println("planted " + bug + ": found after " + result.states() + " states, " + result.depth()
                + " steps, " + result.millis() + " ms: " + result.violation().orElse("NOT FOUND"));
        assertThat(result.violation()).isPresent();
        assertThat(result.trace()).isNotEmpty();
    }
}
