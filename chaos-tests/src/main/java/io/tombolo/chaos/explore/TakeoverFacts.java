package io.tombolo.chaos.explore;

import io.tombolo.region.CommitWord;
import io.tombolo.region.DoubtWord;
import io.tombolo.region.FrameWord;
import io.tombolo.region.Memory;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.SlotWord;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A world of a takeover as a person reads it.
final class TakeoverFacts {
    private TakeoverFacts() {
    }

    static Map<String, String> of(RegionImage image, TakeoverWorld world) {
        Memory memory = new TakeoverDraft(image, world).memory();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("owner", named(OwnerWord.describe(memory.load(image.owner()))));
        facts.put("commit", CommitWord.describe(memory.load(image.commit())));
        List<String> doubts = new ArrayList<>();
        for (int place = 0; place < RegionImage.DOUBTS; place++) {
            long word = memory.load(image.doubt(place));
            if (word != 0) {
                doubts.add(place + ": " + named(DoubtWord.describe(word)));
            }
        }
        facts.put("in doubt", doubts.toString());
        for (int host = 0; host < TakeoverLife.HOSTS; host++) {
            facts.put(TakeoverDraft.name(host), (world.hosts().get(host) == Lives.DEAD ? "dead, " : "")
                    + SlotWord.describe(memory.load(image.host(host))));
        }
        for (int page = 0; page < TakeoverLife.PAGES; page++) {
            long entry = memory.load(image.entry(page));
            facts.put("entry " + page, PageTableEntry.describe(entry) + " with "
                    + memory.load(image.data(PageTableEntry.frame(entry))));
        }
        for (long frame = image.firstFrame(); frame < image.layout().frameCount(); frame++) {
            facts.put("frame " + frame, FrameWord.describe(memory.load(image.frameWord(frame))));
        }
        facts.put("committed", TakeoverDraft.text(world.truth().committed()));
        facts.put("told", TakeoverDraft.text(world.truth().told()));
        return facts;
    }

    private static String named(String text) {
        String named = text;
        for (int host = 0; host < TakeoverLife.HOSTS; host++) {
            named = named.replace("host " + host, TakeoverDraft.name(host));
        }
        return named;
    }

    static String describe(RegionImage image, Call call) {
        return switch (call.kind()) {
            case LOAD -> "looks at " + where(image, call.offset());
            case CAS -> "compares and sets " + where(image, call.offset());
            case STORE -> "stores " + where(image, call.offset());
            case COPY_IN, ZERO -> "stores " + call.b() + " bytes of " + where(image, call.offset());
            case COPY -> "copies " + call.b() + " bytes to " + where(image, call.offset());
            case TELL -> "tells clients " + TakeoverDraft.text(call.bytes());
            case BEGUN -> "has taken the VM at epoch " + call.a();
            case EXECUTE -> "executes at epoch " + call.a();
            case RESUME -> "goes on from " + TakeoverDraft.text(call.bytes());
            case COPY_OUT, ORDER, AWAIT, CHOOSE, END, FAILED -> call.kind().toString();
        };
    }

    private static String where(RegionImage image, long offset) {
        if (offset == image.owner()) {
            return "the owner word";
        }
        if (offset == image.commit()) {
            return "the commit word";
        }
        if (image.isDoubt(offset)) {
            return "owner in doubt " + (offset - image.doubt(0)) / 8;
        }
        if (image.isHostWord(offset)) {
            return "the slot word of "
                    + TakeoverDraft.name((int) ((offset - image.host(0)) / (image.host(1) - image.host(0))));
        }
        if (image.isTable(offset)) {
            return "entry " + (offset - image.entry(0)) / 8;
        }
        if (image.isLog(offset)) {
            return "the log, at " + offset % 4096;
        }
        return switch (image.area(offset)) {
            case 1 -> "the VM's slot, at " + (offset - image.owner());
            case 2 -> "metadata slot " + (offset - image.metadata(0)) / (image.metadata(1) - image.metadata(0));
            case 3 ->
                offset >= image.frameWord(0) ? "the word of frame " + (offset - image.frameWord(0)) / 8 : "a block";
            case 6 -> "frame " + (offset - image.data(0)) / 4096;
            default -> "a host's slot";
        };
    }
}
