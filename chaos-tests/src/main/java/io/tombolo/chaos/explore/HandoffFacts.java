package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.HandoffWorld.At;
import io.tombolo.chaos.explore.HandoffWorld.Blob;
import io.tombolo.chaos.explore.HandoffWorld.Host;
import io.tombolo.chaos.explore.HandoffWorld.Hosted;
import io.tombolo.chaos.explore.HandoffWorld.Right;
import io.tombolo.chaos.explore.HandoffWorld.Runner;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.FromWord;
import io.tombolo.region.OwnerWord;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A world of a hand-off as a person reads it.
final class HandoffFacts {
    private HandoffFacts() {
    }

    static Map<String, String> of(HandoffWorld world) {
        Map<String, String> facts = new LinkedHashMap<>();
        HandoffWorld.Region region = world.region();
        facts.put("owner", owner(region.owner()));
        facts.put("from", named(FromWord.describe(region.from())));
        facts.put("armed", armed(region.armed()));
        facts.put("spin", armed(region.spin()));
        facts.put("gate", region.closed() ? "closed" : "open");
        facts.put("states", blob(region.blob0()) + ", " + blob(region.blob1()));
        for (int host = 0; host < HandoffWorld.HOSTS; host++) {
            facts.put(HandoffWorld.name(host), host(world.host(host)));
        }
        facts.put("intent", world.leaders().intent() == null ? "none" : "" + world.leaders().intent().seq());
        facts.put("K", runner(world.leaders().current()));
        facts.put("old K", runner(world.leaders().old()));
        facts.put("under way", world.messages().all().stream()
                .map(message -> message.kind() + (message.forHost() ? " to " : " of ")
                        + HandoffWorld.name(message.host()))
                .collect(Collectors.joining(", ", "[", "]")));
        return facts;
    }

    static String owner(long word) {
        return named(OwnerWord.describe(word));
    }

    /// Hosts by the names that they have here.
    private static String named(String text) {
        String named = text;
        for (int host = 0; host < HandoffWorld.HOSTS; host++) {
            named = named.replace("host " + HandoffDraft.slot(host), HandoffWorld.name(host));
        }
        return named;
    }

    private static String armed(long word) {
        return word == ArmedWord.NONE
                ? "none"
                : "intent " + ArmedWord.intentSeq(word) + " to " + HandoffWorld.name(ArmedWord.target(word) - 1);
    }

    private static String blob(Blob blob) {
        return blob.epoch() == 0 ? "none" : "of epoch " + blob.epoch() + (blob.valid() ? "" : " (half)");
    }

    private static String host(Host host) {
        List<String> all = new ArrayList<>();
        if (!host.alive()) {
            all.add("dead");
        }
        if (!host.registered()) {
            all.add("without a session");
        }
        if (host.right() != Right.HELD) {
            all.add("right " + host.right());
        }
        Hosted vm = host.vm();
        if (vm != null) {
            if (vm.source() != null) {
                all.add("source " + vm.source().phase() + " at epoch " + vm.source().epoch()
                        + (vm.exec() ? ", executes at " + vm.runEpoch() : ", stands still")
                        + (vm.lapsed() ? ", right lapsed since" : "") + (vm.stale() ? " (known)" : ""));
            }
            if (vm.target() != null) {
                all.add("target " + vm.target().phase());
            }
            if (vm.incoming() != null && vm.incoming().at() != At.ENDED) {
                all.add("waiting guest " + vm.incoming().at() + (vm.incoming().killed() ? " (discarded)" : ""));
            }
            if (!vm.todo().isEmpty()) {
                all.add("to do " + vm.todo().stream().map(op -> op.kind().toString()).toList());
            }
            if (!vm.queue().isEmpty()) {
                all.add("queue " + vm.queue().stream().map(op -> op.kind().toString()).toList());
            }
        }
        return all.isEmpty() ? "idle" : String.join(", ", all);
    }

    private static String runner(Runner runner) {
        return runner == null
                ? "idle"
                : runner.state().phase() + " of term " + runner.term()
                        + (runner.closing() == null ? "" : ", is to close the intent");
    }
}
