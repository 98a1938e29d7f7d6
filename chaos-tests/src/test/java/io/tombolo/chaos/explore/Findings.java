package io.tombolo.chaos.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/// What a test of an exploration asks for.
final class Findings {
    private Findings() {
    }

    /// With one fault nothing is wrong, and everything was looked at: more than `states` in each configuration.
    static void assertSound(Exhaustive.Protocol protocol, int states) {
        List<Exploration> all = new Exhaustive(1, 2, Runtime.getRuntime().maxMemory(),
                exploration -> System.out.print(exploration.text())).run(List.of(protocol));
        assertThat(all).isNotEmpty().allSatisfy(one -> {
            assertThat(one.result().violation()).isEmpty();
            assertThat(one.result().complete()).isTrue();
            assertThat(one.result().states()).isGreaterThan(states);
        });
    }

    /// The bug that was planted is found; says after how much.
    static Explorer.Result assertFound(Enum<?> bug, Model<?> model) {
        Exploration exploration = Exhaustive.explore(model, Exhaustive.MAX_WORLDS);
        Explorer.Result result = exploration.result();
        System.out.print(exploration.text());
        System.out.println("planted " + bug + ": found after " + result.states() + " worlds, by " + result.steps()
                + " steps, " + result.millis() + " ms: " + result.violation().orElse("NOT FOUND"));
        assertThat(result.violation()).isPresent();
        assertThat(result.trace()).hasSizeGreaterThan(1);
        return result;
    }
}
