package io.tombolo.coordinator;

/// What the edge has to do. Each but [CancelHandOver] is answered by one event, and no other is given out before.
public sealed interface TransitEffect {
    /// `ListPins` to a host.
    record AskPins(String host) implements TransitEffect {
    }

    /// `ListTiers` to a host.
    record AskTiers(String host) implements TransitEffect {
    }

    /// `MovePages` to a host.
    ///
    /// @param tier code of the target tier, or -1 to ask where the pages are
    record Move(String host, long firstPage, int count, int tier) implements TransitEffect {
    }

    /// The hand-off, with its own preflight, intent and end.
    record HandOver() implements TransitEffect {
    }

    /// Cancel the intent of the hand-off if that is possible still.
    record CancelHandOver() implements TransitEffect {
    }
}
