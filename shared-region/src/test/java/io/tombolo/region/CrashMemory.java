package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/// The memory port as a machine with coherent, volatile caches, for one host at a time. It can die before any step, and
/// afterwards each line that was not persisted may be as it was when it was last persisted, or as it was after any
/// later store.
///
/// A step is a store, a compare-and-set, a persist, or a part of a bulk copy or zero (a line; a sixteenth of it above
/// 512 bytes). Changes are logged, so that a state can be left again without copying the region.
final class CrashMemory implements Memory {
    static final int LINE = 64;
    /// Far more than any operation of the tests makes.
    private static final int STEPS_MAX = 20_000;
    private static final int WORDS = LINE / 8;
    private static final VarHandle LONG = Struct.LONG.varHandle();

    /// The host is dead; nothing of it runs any more, finally blocks included.
    static final class Crash extends Error {
        private static final long serialVersionUID = 1L;

        Crash() {
            super("crash", null, false, false);
        }
    }

    private final MemorySegment view;
    private final Deque<Map<Long, long[]>> undo = new ArrayDeque<>();
    private final TreeMap<Long, List<long[]>> unpersisted = new TreeMap<>();
    /// Lines being written back: how many of their versions the next fence makes past.
    private final Map<Long, Integer> writingBack = new HashMap<>();
    private final Set<String> places = new LinkedHashSet<>();
    private CrashSites.Mistake mistake;
    private String taken = "";
    private long racedWord = -1;
    private Runnable racer;
    private boolean racing;
    private long stepsLeft = Long.MAX_VALUE;
    private int stepsMade;
    private boolean crashed;
    /// What is stored through [#segment] is seen by comparison with this copy; null if nothing is watched.
    private MemorySegment seen;
    private long watchedFrom;

    CrashMemory(long bytes) {
        this.view = MemorySegment.ofArray(new long[Math.toIntExact(bytes / 8)]);
    }

    /// From now on the host dies before step `steps` (counted from 0), and what is there now is persisted.
    void arm(long steps) {
        unpersisted.clear();
        writingBack.clear();
        places.clear();
        stepsLeft = steps;
        stepsMade = 0;
        crashed = false;
    }

    /// From now on plain stores into this range, which no call announces, count as stores as well: as of the write-back
    /// that covers them, or of [#noticeStores]. They are no steps.
    void watch(long offset, long count) {
        watchedFrom = offset;
        seen = MemorySegment.ofArray(new long[Math.toIntExact(count / 8)]);
        MemorySegment.copy(view, offset, seen, 0, count);
    }

    /// Plain stores so far are seen.
    void noticeStores() {
        if (seen != null) {
            noticeStores(watchedFrom, seen.byteSize());
        }
    }

    private void noticeStores(long offset, long count) {
        if (seen == null) {
            return;
        }
        long at = Math.max(offset, watchedFrom) / LINE * LINE;
        long end = Math.min(offset + count, watchedFrom + seen.byteSize());
        while (at < end) {
            long next = MemorySegment.mismatch(view, at, end, seen, at - watchedFrom, end - watchedFrom);
            if (next < 0) {
                return;
            }
            long line = (at + next) / LINE;
            long[] before = new long[WORDS];
            for (int i = 0; i < WORDS; i++) {
                before[i] = seen.get(Struct.LONG, line * LINE - watchedFrom + i * 8L);
            }
            if (!undo.isEmpty()) {
                undo.peek().putIfAbsent(line, before);
            }
            unpersisted.computeIfAbsent(line, _ -> new ArrayList<>(List.of(before))).add(read(line));
            sawLine(line);
            at = (line + 1) * LINE;
        }
    }

    private void sawLine(long line) {
        if (seen != null && line * LINE >= watchedFrom && line * LINE < watchedFrom + seen.byteSize()) {
            MemorySegment.copy(view, line * LINE, seen, line * LINE - watchedFrom, LINE);
        }
    }

    /// Places at which that mistake could have been made since the last [#arm]; see [CrashSites].
    Set<String> places() {
        return places;
    }

    /// From now on that mistake is made at that place. Null: none, and nobody asks for the places.
    void mistake(CrashSites.Mistake which, String place) {
        mistake = which;
        taken = place;
    }

    /// What another host does just before the next compare-and-set of that word. It does not die, and the lines that it
    /// changes are in its caches.
    void race(long offset, Runnable other) {
        racedWord = offset;
        racer = other;
    }

    void push() {
        undo.push(new HashMap<>());
    }

    void pop() {
        undo.pop().forEach(this::write);
        arm(Long.MAX_VALUE);
    }

    /// One possible memory after the host's death: contents by line, except for the line `kept`.
    record Outcome(Map<Long, long[]> lines, long kept) {
        static final Outcome AS_STORED = new Outcome(Map.of(), -1);

        Outcome(Map<Long, long[]> lines) {
            this(lines, -1);
        }

        /// For people: which lines were lost, if they are few.
        @Override
        public String toString() {
            return lines.size() > 20 ? lines.size() + " lines but " + kept : lines.keySet() + " but " + kept;
        }
    }

    /// What is certain if only the process died: everything it stored.
    static List<Outcome> processDeath() {
        return List.of(Outcome.AS_STORED);
    }

    /// What may be left if the host died. All combinations of line versions if there are at most `exhaustive`;
    /// otherwise all lost, all kept, and each single line lost (at each of its versions) or kept alone, of which at
    /// most `samples` chosen by `random`.
    List<Outcome> hostDeath(int exhaustive, int samples, Random random) {
        List<Long> lines = List.copyOf(unpersisted.keySet());
        long combinations = 1;
        int singles = 0;
        for (long line : lines) {
            combinations = Math.min(combinations * unpersisted.get(line).size(), exhaustive + 1L);
            singles += unpersisted.get(line).size();
        }
        List<Outcome> outcomes = new ArrayList<>();
        if (combinations <= exhaustive) {
            combine(lines, 0, new HashMap<>(), outcomes);
            return outcomes;
        }
        BitSet chosen = new BitSet();
        while (chosen.cardinality() < Math.min(samples, singles)) {
            chosen.set(singles <= samples ? chosen.cardinality() : random.nextInt(singles));
        }
        Map<Long, long[]> allLost = new HashMap<>();
        unpersisted.forEach((line, versions) -> allLost.put(line, versions.getFirst()));
        int single = 0;
        for (long line : lines) {
            List<long[]> versions = unpersisted.get(line);
            for (int version = 0; version < versions.size(); version++) {
                if (chosen.get(single++)) {
                    // The last version is the line as it was stored: it alone is kept.
                    outcomes.add(version < versions.size() - 1
                            ? new Outcome(Map.of(line, versions.get(version)))
                            : new Outcome(allLost, line));
                }
            }
        }
        outcomes.add(Outcome.AS_STORED);
        outcomes.add(new Outcome(allLost));
        return outcomes;
    }

    private void combine(List<Long> lines, int from, Map<Long, long[]> chosen, List<Outcome> outcomes) {
        if (from == lines.size()) {
            outcomes.add(new Outcome(Map.copyOf(chosen)));
            return;
        }
        for (long[] version : unpersisted.get(lines.get(from))) {
            chosen.put(lines.get(from), version);
            combine(lines, from + 1, chosen, outcomes);
        }
    }

    /// The machine is up again with this memory.
    void restart(Outcome outcome) {
        outcome.lines.forEach((line, words) -> {
            if (line != outcome.kept) {
                remember(line);
                write(line, words);
            }
        });
        arm(Long.MAX_VALUE);
    }

    private void step() {
        alive();
        if (stepsLeft-- <= 0) {
            crashed = true;
            throw new Crash();
        }
        if (++stepsMade > STEPS_MAX && mistake != null) {
            throw new AssertionError("it does not end");
        }
    }

    private void alive() {
        if (crashed) {
            throw new Crash();
        }
    }

    private void remember(long line) {
        if (!undo.isEmpty()) {
            undo.peek().computeIfAbsent(line, this::read);
        }
    }

    private void beforeStore(long offset) {
        long line = offset / LINE;
        remember(line);
        if (racing) {
            unpersisted.remove(line);
        } else {
            unpersisted.computeIfAbsent(line, _ -> new ArrayList<>(List.of(read(line))));
        }
    }

    private void afterStore(long offset) {
        long line = offset / LINE;
        if (!racing) {
            unpersisted.get(line).add(read(line));
        }
        sawLine(line);
    }

    private long[] read(long line) {
        long[] words = new long[WORDS];
        for (int i = 0; i < WORDS; i++) {
            words[i] = view.get(Struct.LONG, line * LINE + i * 8L);
        }
        return words;
    }

    private void write(long line, long[] words) {
        for (int i = 0; i < WORDS; i++) {
            view.set(Struct.LONG, line * LINE + i * 8L, words[i]);
        }
        sawLine(line);
    }

    @Override
    public long bytes() {
        return view.byteSize();
    }

    @Override
    public long load(long offset) {
        alive();
        return (long) LONG.get(view, offset);
    }

    @Override
    public long loadAcquire(long offset) {
        return load(offset);
    }

    @Override
    public void store(long offset, long value) {
        plainStore("store", offset, value);
    }

    @Override
    public void storeRelease(long offset, long value) {
        plainStore("storeRelease", offset, value);
    }

    private void plainStore(String call, long offset, long value) {
        step();
        if (!left(CrashSites.Mistake.NO_STORE, call)) {
            beforeStore(offset);
            LONG.set(view, offset, value);
            afterStore(offset);
        }
    }

    @Override
    public boolean compareAndSet(long offset, long expect, long next) {
        if (offset == racedWord) {
            racedWord = -1;
            runRacer();
        }
        step();
        if (load(offset) != expect) {
            return false;
        }
        if (!left(CrashSites.Mistake.NO_STORE, "compareAndSet")) {
            beforeStore(offset);
            LONG.set(view, offset, next);
            afterStore(offset);
        }
        return true;
    }

    private void runRacer() {
        long left = stepsLeft;
        CrashSites.Mistake kind = mistake;
        stepsLeft = Long.MAX_VALUE;
        mistake = null;
        racing = true;
        try {
            racer.run();
        } finally {
            racing = false;
            mistake = kind;
            stepsLeft = left;
        }
    }

    private interface Part {
        void store(long at, long count);
    }

    private void bulk(String call, long offset, long count, Part part) {
        boolean left = left(CrashSites.Mistake.NO_STORE, call);
        long size = count <= 512 ? LINE : Math.max(LINE, count / 16 / LINE * LINE);
        long at = offset;
        while (at < offset + count) {
            long end = Math.min(offset + count, (at / size + 1) * size);
            step();
            if (!left) {
                for (long line = at / LINE * LINE; line < end; line += LINE) {
                    beforeStore(line);
                }
                part.store(at, end - at);
                for (long line = at / LINE * LINE; line < end; line += LINE) {
                    afterStore(line);
                }
            }
            at = end;
        }
    }

    @Override
    public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
        bulk("copyIn", offset, count,
                (at, size) -> MemorySegment.copy(source, sourceOffset + at - offset, view, at, size));
    }

    @Override
    public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
        alive();
        MemorySegment.copy(view, offset, target, targetOffset, count);
    }

    @Override
    public void copy(long fromOffset, long toOffset, long count) {
        bulk("copy", toOffset, count,
                (at, size) -> MemorySegment.copy(view, fromOffset + at - toOffset, view, at, size));
    }

    @Override
    public void zero(long offset, long count) {
        bulk("zero", offset, count, (at, size) -> view.asSlice(at, size).fill((byte) 0));
    }

    @Override
    public void persist(long offset, long count) {
        step();
        noticeStores(offset, count);
        if (!left(CrashSites.Mistake.NO_PERSIST, "persist")) {
            unpersisted.subMap(offset / LINE, true, (offset + count - 1) / LINE, true).clear();
            writingBack.keySet().removeIf(line -> line >= offset / LINE && line <= (offset + count - 1) / LINE);
        }
    }

    /// The lines are durable, as they are now, after the next fence; until then they may be or not.
    @Override
    public void writeBack(long offset, long count) {
        step();
        noticeStores(offset, count);
        if (!left(CrashSites.Mistake.NO_PERSIST, "writeBack")) {
            unpersisted.subMap(offset / LINE, true, (offset + count - 1) / LINE, true)
                    .forEach((line, versions) -> writingBack.put(line, versions.size() - 1));
        }
    }

    /// A step only if it waits for something.
    @Override
    public void fence() {
        alive();
        if (writingBack.isEmpty()) {
            return;
        }
        step();
        if (!left(CrashSites.Mistake.NO_PERSIST, "fence")) {
            writingBack.forEach((line, past) -> {
                List<long[]> versions = unpersisted.get(line);
                if (past == versions.size() - 1) {
                    unpersisted.remove(line);
                } else {
                    versions.subList(0, past).clear();
                }
            });
            writingBack.clear();
        }
    }

    /// Whether this call is to be left out.
    private boolean left(CrashSites.Mistake kind, String call) {
        if (kind != mistake) {
            return false;
        }
        String place = CrashSites.here(kind, call);
        places.add(place);
        return place.equals(taken);
    }

    @Override
    public MemorySegment segment(long offset, long count) {
        return view.asSlice(offset, count);
    }
}
