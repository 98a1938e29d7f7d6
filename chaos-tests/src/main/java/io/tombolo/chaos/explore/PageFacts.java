package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.PageWorld.At;
import io.tombolo.chaos.explore.PageWorld.Control;
import io.tombolo.chaos.explore.PageWorld.Mover;
import io.tombolo.chaos.explore.PageWorld.Recovery;
import io.tombolo.chaos.explore.PageWorld.Vcpu;
import io.tombolo.chaos.explore.PageWorld.Words;
import io.tombolo.region.FrameWord;
import io.tombolo.region.PageTableEntry;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A world of page moves as a person reads it.
final class PageFacts {
    private PageFacts() {
    }

    static Map<String, String> of(PageWorld world) {
        Map<String, String> facts = new LinkedHashMap<>();
        Words words = world.words();
        facts.put("owner", HandoffFacts.owner(words.owner()));
        facts.put("gate", (words.closed() ? "closed, " : "open, ") + words.inside() + " inside");
        facts.put("local pages", "" + words.localPages());
        for (int page = 0; page < PageWorld.PAGES; page++) {
            facts.put("entry " + page, PageTableEntry.describe(words.entries().get(page)));
        }
        for (int frame = 0; frame < PageWorld.SHARED_FRAMES; frame++) {
            facts.put("frame " + frame, FrameWord.describe(words.frames().get(frame)));
        }
        for (int page = 0; page < PageWorld.PAGES; page++) {
            int bits = words.newest().get(page);
            facts.put("page " + page + " is in", IntStream.range(0, PageWorld.SHARED_FRAMES + PageWorld.LOCAL_FRAMES)
                    .filter(frame -> (bits & 1 << frame) != 0)
                    .mapToObj(frame -> frame < PageWorld.SHARED_FRAMES
                            ? "frame " + frame
                            : "local frame " + (frame - PageWorld.SHARED_FRAMES))
                    .collect(Collectors.joining(", ", "{", "}")));
        }
        facts.put("mover 1", mover(world.first()));
        facts.put("mover 2", mover(world.second()));
        facts.put("vCPU", vcpu(world.vcpu()));
        facts.put("A", control(world.control()));
        return facts;
    }

    private static String mover(Mover mover) {
        if (mover.at() == At.IDLE) {
            return "idle";
        }
        return "at " + mover.at() + " with pages " + mover.items().stream().map(PageWorld.Item::page).toList() + " to "
                + (mover.toLocal() ? "local" : "shared");
    }

    private static String vcpu(Vcpu vcpu) {
        if (vcpu.waits() >= 0) {
            return "waits for page " + vcpu.waits();
        }
        if (!vcpu.online()) {
            return "stands still";
        }
        String known = IntStream.range(0, PageWorld.PAGES).filter(page -> vcpu.known(page) != 0)
                .mapToObj(page -> "page " + page + " at " + PageTableEntry.tier(vcpu.known(page)) + " "
                        + PageTableEntry.frame(vcpu.known(page)))
                .collect(Collectors.joining(", ", "{", "}"));
        return "runs, knows " + known + (vcpu.asked() ? ", is asked to forget" : "");
    }

    private static String control(Control control) {
        String recovery = control.recovery() == Recovery.NONE ? "" : ", recovery at " + control.recovery();
        return (control.alive() ? "alive" : "dead") + (control.right() ? "" : ", right lapsed") + recovery;
    }
}
