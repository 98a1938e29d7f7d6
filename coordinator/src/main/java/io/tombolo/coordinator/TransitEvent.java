package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.region.TomboloException;
import java.util.List;

/// What happens to a transit.
public sealed interface TransitEvent {
    /// Answer to [TransitEffect.AskPins].
    record Pins(List<Reply.PinnedRange> ranges) implements TransitEvent {
        public Pins {
            ranges = List.copyOf(ranges);
        }
    }

    /// Answer to [TransitEffect.Move].
    record Moved(Reply.PagesMoved reply) implements TransitEvent {
    }

    /// Answer to [TransitEffect.AskTiers].
    record Tiers(List<TierStatus> tiers) implements TransitEvent {
        public Tiers {
            tiers = List.copyOf(tiers);
        }
    }

    /// The agent refused a call, or did not answer it.
    record CallFailed(TomboloException why) implements TransitEvent {
    }

    /// The target runs the VM.
    record HandedOver(HandoffReport report) implements TransitEvent {
    }

    /// The hand-off ended otherwise.
    record HandoffFailed(TomboloException why) implements TransitEvent {
    }

    /// Somebody wants it to end.
    record Cancel() implements TransitEvent {
    }

    /// `wakeNs` has come.
    record Tick() implements TransitEvent {
    }

    /// This coordinator does not lead any more.
    record TermEnded() implements TransitEvent {
    }
}
