package io.tombolo.chaos.explore;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A protocol in a small configuration, as steps over value states.
///
/// @param <W> a world: everything that anybody's next step can depend on. Immutable, compared by its parts
public interface Model<W> {
    /// The protocol's name.
    String name();

    /// Where it begins; each is explored.
    List<W> starts();

    /// Every step that anybody can take.
    void steps(W world, Steps<W> to);

    /// What must never be, if it is.
    Optional<String> violation(W world);

    /// Whether the world is one that everything may end in, or stay in for as long as it likes. From every world such
    /// a world must be in reach without another fault.
    boolean isGood(W world);

    /// The one world that stands for all that go on as this one does: whatever is in reach from one of them, or wrong
    /// with it, is so for each, by other names.
    default W canonical(W world) {
        return world;
    }

    /// What a world is made of: values, always as many, each with few different ones over all worlds.
    Object[] parts(W world);

    /// The world made of those.
    W of(Object[] parts);

    /// A world as a person reads it, in a fixed order of names; a trace shows what a step changed.
    Map<String, String> facts(W world);

    /// The bounds within which an exploration is complete, one per line.
    List<String> bounds();

    /// Takes steps.
    ///
    /// @param <W> a world
    interface Steps<W> {
        /// A step of somebody. `who` and `what` are for the trace.
        void step(String who, String what, W after);

        /// A step that is one of the faults.
        void fault(String who, String what, W after);
    }
}
