package io.tombolo.chaos.explore;

import static org.assertj.core.api.Assertions.assertThat;

/// What a test of an exploration asks for.
final class Findings {
    private Findings() {
    }

    /// Nothing is wrong, and everything was looked at: more than `worlds`.
    static void assertSound(Model<?> model, int worlds) {
        Exploration exploration = Exhaustive.explore(model, Exhaustive.MAX_WORLDS, System.out::println);
        System.out.print(exploration.text());
        assertThat(exploration.result().violation()).isEmpty();
        assertThat(exploration.result().complete()).isTrue();
        assertThat(exploration.result().states()).isGreaterThan(worlds);
    }

    /// The bug that was planted is found; says after how much.
    static Explorer.Result assertFound(Enum<?> bug, Model<?> model) {
        Exploration exploration = Exhaustive.explore(model, Exhaustive.MAX_WORLDS, System.out::println);
        Explorer.Result result = exploration.result();
        System.out.print(exploration.text());
        System.out.println("planted " + bug + ": found after " + result.states() + " worlds, by " + result.steps()
                + " steps, " + result.millis() + " ms: " + result.violation().orElse("NOT FOUND"));
        assertThat(result.violation()).isPresent();
        assertThat(result.trace()).hasSizeGreaterThan(1);
        return result;
    }
}
