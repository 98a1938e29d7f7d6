package io.tombolo.agent.handoff;

import java.util.List;

/// What one step of a pure core yields: the next state and the effects that its edge must carry out, in order.
///
/// @param <S> the core's state, a value
/// @param <F> the core's effects, values
public record Step<S, F>(S state, List<F> effects) {
    public Step {
        effects = List.copyOf(effects);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") // only read, by List.of
    static <S, F> Step<S, F> of(S state, F... effects) {
        return new Step<>(state, List.of(effects));
    }
}
