package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.UnexpectedErrors.Span;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.nemesis.NemesisKind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// When which kind of fault was at work, from its beginning until the end of its healing.
///
/// @param spans by kind, in order
record FaultSpans(Map<NemesisKind, List<Span>> spans) {
    private static final String START = "start-";
    private static final String STOP = "stop-";

    FaultSpans {
        spans = Map.copyOf(requireNonNull(spans, "spans is null"));
    }

    /// A fault that was never healed lasts to the end of all time.
    static FaultSpans of(History history) {
        Map<NemesisKind, List<Span>> all = new EnumMap<>(NemesisKind.class);
        Map<NemesisKind, Long> open = new EnumMap<>(NemesisKind.class);
        Map<NemesisKind, Boolean> ending = new EnumMap<>(NemesisKind.class);
        for (HistoryEvent event : ChaosRun.faultEvents(history)) {
            boolean start = event.f().startsWith(START);
            if (!start && !event.f().startsWith(STOP)) {
                continue;
            }
            NemesisKind kind = NemesisKind.ofText(event.f().substring(start ? START.length() : STOP.length()))
                    .orElseThrow(() -> new IllegalArgumentException("no kind of fault: " + event));
            if (start) {
                open.putIfAbsent(kind, event.timeNs());
                continue;
            }
            // The first of two events says that its healing begins.
            boolean begins = ending.merge(kind, true, (before, _) -> !before);
            if (!begins && open.containsKey(kind)) {
                all.computeIfAbsent(kind, _ -> new ArrayList<>()).add(new Span(open.remove(kind), event.timeNs()));
            }
        }
        open.forEach((kind, since) -> all.computeIfAbsent(kind, _ -> new ArrayList<>())
                .add(new Span(since, Long.MAX_VALUE)));
        return new FaultSpans(all);
    }

    /// Those of some kinds, each so much longer.
    List<Span> of(Collection<NemesisKind> kinds, long afterNs) {
        return kinds.stream().flatMap(kind -> spans.getOrDefault(kind, List.of()).stream())
                .map(span -> new Span(span.fromNs(),
                        span.untilNs() == Long.MAX_VALUE ? Long.MAX_VALUE : span.untilNs() + afterNs))
                .toList();
    }
}
