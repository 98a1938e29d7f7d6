package io.tombolo.agent.handoff;

import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.SourceCore.Outcome;
import io.tombolo.agent.hypervisor.OfferResult;
import io.tombolo.coordinator.wire.CopyReport;

/// What the source knows at the end of an order. All times CLOCK_MONOTONIC nanoseconds of this machine; 0 where the
/// phase was not reached.
///
/// @param orderedNs when the order came
/// @param windowNs when the target was known to spin and the guest was told to stop
/// @param offer how stopping, saving and offering went
/// @param target what the target said of its side
/// @param epochAfter owner epoch at the end
/// @param copy what sending the pages cost
/// @param code what ended the sending, a name of a CoordinatorError; empty when nothing did
public record SourceReport(Outcome outcome, String reason, long orderedNs, long windowNs, OfferResult offer,
        WindowEnd target, long epochAfter, CopyReport copy, String code) {
    static SourceReport of(Outcome outcome, String reason) {
        return new SourceReport(outcome, reason, 0, 0, OfferResult.failed(true, reason), WindowEnd.UNKNOWN, 0,
                CopyReport.UNKNOWN, "");
    }

    SourceReport withTarget(WindowEnd times) {
        return new SourceReport(outcome, reason, orderedNs, windowNs, offer, times, epochAfter, copy, code);
    }
}
