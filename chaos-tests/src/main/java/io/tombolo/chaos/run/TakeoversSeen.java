package io.tombolo.chaos.run;

import io.tombolo.chaos.check.TakeoversWithinBound.Takeover;
import io.tombolo.chaos.check.UnexpectedErrors.Span;
import io.tombolo.chaos.cluster.LeaderWatch;
import io.tombolo.chaos.cluster.OwnerChange;
import io.tombolo.chaos.cluster.RunRecord;
import io.tombolo.chaos.nemesis.NemesisKind;
import io.tombolo.chaos.workload.GuestVms;
import io.tombolo.region.OwnerState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The takeovers of a run, from what the region was seen to say, and from who executed when; nothing of it is said by
/// those who did them.
///
/// The failure is the beginning of the one fault that was at work; if there was none, or several, when the guest
/// executed last.
final class TakeoversSeen {
    /// A fault is at work for so long after it was healed: processes start again.
    private static final long AFTER_NS = TimeUnit.SECONDS.toNanos(5);

    private final List<RunRecord> runs;
    private final FaultSpans faults;
    private final List<LeaderWatch.Change> leaders;
    private final Map<Integer, String> names = new HashMap<>();

    TakeoversSeen(List<GuestVms.Guest> vms, List<RunRecord> runs, FaultSpans faults,
            List<LeaderWatch.Change> leaders) {
        this.runs = List.copyOf(runs);
        this.faults = faults;
        this.leaders = List.copyOf(leaders);
        // A slot may have had several; the latest is as good a name as any.
        vms.forEach(vm -> names.put(vm.slot(), vm.name()));
    }

    List<Takeover> of(List<OwnerChange> changes) {
        List<Takeover> all = new ArrayList<>();
        Map<Integer, OwnerChange> before = new HashMap<>();
        Map<Integer, OwnerChange> begun = new HashMap<>();
        for (OwnerChange change : changes) {
            boolean takes = change.state() == OwnerState.RECOVERING || change.state() == OwnerState.RESTORING;
            OwnerChange began = begun.get(change.slot());
            if (takes && began == null) {
                begun.put(change.slot(), change);
            } else if (!takes && began != null) {
                all.add(takeover(before.get(change.slot()), began, change));
                begun.remove(change.slot());
            }
            if (!takes) {
                before.put(change.slot(), change);
            }
        }
        begun.forEach((slot, began) -> all.add(takeover(before.get(slot), began, null)));
        return all;
    }

    private Takeover takeover(OwnerChange had, OwnerChange began, OwnerChange ended) {
        long ran = runs.stream().filter(run -> run.vmSlot() == began.slot() && run.epoch() < began.epoch()
                && run.endNs() != 0 && run.startNs() < began.timeNs()).mapToLong(RunRecord::endNs).max()
                .orElse(began.timeNs());
        long ran0 = Math.min(ran, began.timeNs());
        long end = ended == null ? began.timeNs() : ended.timeNs();
        List<String> atWork = new ArrayList<>();
        long since = ran0;
        long hadSince = had == null ? 0 : had.timeNs();
        for (Map.Entry<NemesisKind, List<Span>> kind : faults.spans().entrySet()) {
            for (Span span : kind.getValue()) {
                long until = span.untilNs() == Long.MAX_VALUE ? Long.MAX_VALUE : span.untilNs() + AFTER_NS;
                if (span.fromNs() <= end && until >= ran0) {
                    atWork.add(kind.getKey().text());
                    since = Math.max(hadSince, Math.min(since, span.fromNs()));
                }
            }
        }
        return new Takeover(names.getOrDefault(began.slot(), "slot " + began.slot()), had == null ? "" : had.host(),
                ended == null ? began.host() : ended.host(), ran0, atWork.size() == 1 ? since : ran0,
                ledSince(end), began.timeNs(), end, ended == null ? "" : ended.state().name(), atWork);
    }

    /// Since when somebody, whoever, led without a break; a change of leader is one.
    private long ledSince(long at) {
        long since = 0;
        for (LeaderWatch.Change change : leaders) {
            if (change.timeNs() <= at) {
                since = change.leader().isEmpty() ? at : change.timeNs();
            }
        }
        return since;
    }
}
