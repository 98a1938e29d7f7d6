package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import java.util.ArrayList;
import java.util.List;

/// Who executed the VM from when until when, as the hosts' own clocks say (CLOCK_MONOTONIC of one machine, so they can
/// be compared), and whether two ever did at once (I1). Not thread safe.
///
/// A stay that began before the first hand-off has no known start, the last one no known end.
public final class OwnershipRecords {
    /// One stay of the VM on one host. Times are nanoseconds; the open ends are the limits of long.
    public record Stay(String host, long epoch, long fromNs, long untilNs) {
        public Stay {
            requireNonNull(host, "host is null");
        }

        boolean overlaps(Stay other) {
            return fromNs < other.untilNs && other.fromNs < untilNs;
        }
    }

    private final List<Stay> stays = new ArrayList<>();
    private final List<String> contradictions = new ArrayList<>();
    private String host;
    private long epoch;
    private long sinceNs = Long.MIN_VALUE;

    /// Begins with the creation of the VM.
    ///
    /// @param host  where the VM was created
    /// @param epoch the epoch at which it runs there
    public OwnershipRecords(String host, long epoch) {
        this.host = requireNonNull(host, "host is null");
        this.epoch = epoch;
    }

    /// Adds what one hand-off says. A hand-off that ended with the source must not have let the target execute
    /// anything.
    public void add(HandoffReport report) {
        if (!report.fromHost().equals(host)) {
            contradictions.add("left " + report.fromHost() + " while " + host + " ran it");
        }
        if (report.outcome() != HandoffOutcome.COMPLETED) {
            if (report.firstInstructionNs() != 0) {
                contradictions.add(report.toHost() + " executed although the hand-off ended as " + report.outcome());
            }
            epoch = report.epochAfter();
            return;
        }
        if (report.epochAfter() <= epoch) {
            contradictions.add("epoch " + report.epochAfter() + " after " + epoch);
        }
        stays.add(new Stay(report.fromHost(), epoch, sinceNs, report.lastInstructionNs()));
        host = report.toHost();
        epoch = report.epochAfter();
        // A source that did not hear from its target again knows by the owner word only that the VM is there.
        sinceNs = report.firstInstructionNs() != 0 ? report.firstInstructionNs() : report.lastInstructionNs();
    }

    /// Adds a takeover: the host did not execute the VM after it was confirmed stopped, and the other one not before it
    /// had the VM.
    ///
    /// @param stoppedNs when the host was seen confirmed stopped; Long.MAX_VALUE if it was not when the other one ran
    public void takenOver(String toHost, long newEpoch, long stoppedNs, long runningNs) {
        if (newEpoch <= epoch) {
            contradictions.add("epoch " + newEpoch + " after " + epoch);
        }
        stays.add(new Stay(host, epoch, sinceNs, stoppedNs));
        host = requireNonNull(toHost, "toHost is null");
        epoch = newEpoch;
        sinceNs = runningNs;
    }

    /// Pairs of stays that overlap, and every contradiction between two hand-offs.
    public int doubleOwners() {
        return contradictions().size();
    }

    /// Where the VM is now.
    public String host() {
        return host;
    }

    /// All stays in order, the present one last.
    public List<Stay> stays() {
        List<Stay> all = new ArrayList<>(stays);
        all.add(new Stay(host, epoch, sinceNs, Long.MAX_VALUE));
        return all;
    }

    /// What cannot be true, in words, one for each.
    public List<String> contradictions() {
        List<String> all = new ArrayList<>(contradictions);
        List<Stay> stays = stays();
        for (int i = 0; i < stays.size(); i++) {
            for (int j = i + 1; j < stays.size(); j++) {
                if (stays.get(i).overlaps(stays.get(j))) {
                    all.add(stays.get(i) + " overlaps " + stays.get(j));
                }
            }
        }
        return all;
    }
}
