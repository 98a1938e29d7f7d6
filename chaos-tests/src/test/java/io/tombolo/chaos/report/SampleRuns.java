package io.tombolo.chaos.report;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.EveryKindHadAnOk;
import io.tombolo.chaos.check.Verdicts;
import io.tombolo.chaos.check.linear.LinearizabilityChecker;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// Runs that nobody ran: histories of registers from a seed, judged by the real checker, and what else a result folder
/// holds.
final class SampleRuns {
    static final String HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028/*DATA*/ $1 \\";
    private static final int CLIENTS = 6;
    /// After so many others an operation is over.
    private static final int OVER = 4;
    private static final long UNKNOWN = 7;
    private static final long MILLI = 1_000_000L;

    /// What `run.json` holds, and the history.
    record Sample(Map<String, Object> run, History history) {
    }

    private SampleRuns() {
    }

    /// Every answer is right.
    static Sample valid(int operations) {
        return judged(history(operations, -1));
    }

    /// One read answers a value that was overwritten before it began.
    static Sample stale(int operations) {
        return judged(history(operations, operations / 2));
    }

    private record Planned(long ns, HistoryEvent event) {
    }

    private static History history(int operations, int staleAt) {
        SplittableRandom random = new SplittableRandom(7);
        Map<Long, Long> registers = new TreeMap<>();
        Map<Long, Long> before = new TreeMap<>();
        Map<Long, Integer> written = new TreeMap<>();
        List<Planned> planned = new ArrayList<>();
        long[] process = new long[CLIENTS];
        Arrays.setAll(process, i -> i);
        boolean stale = false;
        for (int i = 0; i < operations; i++) {
            int client = i % CLIENTS;
            long key = i / 120;
            long pointNs = (i + 1L) * 4 * MILLI;
            long fromNs = pointNs - random.nextLong(1, 8 * MILLI);
            long toNs = pointNs + random.nextLong(1, 8 * MILLI);
            boolean write = random.nextInt(10) < 4;
            boolean unknown = write && random.nextInt(60) == 0;
            // Nothing unknown explains the stale read.
            long value = unknown ? UNKNOWN : random.nextInt(5);
            if (write) {
                before.put(key, registers.getOrDefault(key, -1L));
                registers.put(key, value);
                written.put(key, i);
            }
            Long seen = registers.get(key);
            if (!write && !stale && staleAt >= 0 && i >= staleAt && before.getOrDefault(key, -1L) >= 0
                    && before.get(key) != UNKNOWN
                    && !before.get(key).equals(seen) && i - written.get(key) > OVER) {
                seen = before.get(key);
                stale = true;
            }
            String f = write ? "write" : "read";
            long who = process[client];
            planned.add(
                    new Planned(fromNs, event(OpType.INVOKE, who, f, Arrays.asList(key, write ? value : null), "")));
            planned.add(new Planned(unknown ? toNs + 5 * MILLI : toNs,
                    event(unknown ? OpType.INFO : OpType.OK, who, f, Arrays.asList(key, write ? (Long) value : seen),
                            unknown ? HOSTILE : "")));
            if (unknown) {
                process[client] += CLIENTS;
            }
        }
        return ordered(planned);
    }

    private static HistoryEvent event(OpType type, long process, String f, Object value, String error) {
        return new HistoryEvent(0, 0, type, process, f, value, error.isEmpty() ? null : error);
    }

    private static History ordered(List<Planned> planned) {
        planned.sort(Comparator.comparingLong(Planned::ns));
        List<HistoryEvent> events = new ArrayList<>();
        Map<Long, Long> freeNs = new TreeMap<>();
        for (Planned p : planned) {
            HistoryEvent e = p.event();
            // A client has one operation at a time: what would begin before its last one ended begins just then.
            long ns = Math.max(p.ns(), freeNs.getOrDefault(e.process(), 0L));
            freeNs.put(e.process(), ns);
            events.add(new HistoryEvent(events.size(), ns, e.type(), e.process(), e.f(), e.value(), e.error()));
        }
        return History.of(events);
    }

    private static Sample judged(History history) {
        Verdicts verdicts = Verdicts.of(List.of(
                new LinearizabilityChecker(() -> new RegisterModel(null, false), true),
                new EveryKindHadAnOk(Set.of("read", "write"))), history, CheckContext.defaults());
        List<CheckResult> all = new ArrayList<>(verdicts.results());
        all.add(CheckResult.ofProblems("unexpected-errors", List.of("host-1.log:12: ERROR " + HOSTILE),
                Map.of("logs", 8L)));
        Map<String, Object> results = new LinkedHashMap<>(new Verdicts(all).json());
        results.put("ops", Verdicts.operationCounts(history));
        results.put("faults", Map.of("kill", 1, "partition", 1));
        long endNs = history.events().getLast().timeNs();
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("command", "./tombolo chaos --workload kv --nemesis kill,partition --seed -4611686018427387905");
        run.put("workload", "kv");
        run.put("nemeses", List.of("kill", "partition"));
        run.put("timeMs", endNs / MILLI);
        run.put("seed", -4_611_686_018_427_387_905L);
        run.put("hosts", 3);
        run.put("network", "PROXY");
        run.put("versions", Map.of("tombolo", "1.2.3", "java", "25"));
        run.put("healedNs", endNs * 9 / 10);
        run.put("recoveredNs", endNs);
        run.put("faults", faults(endNs));
        run.put("vms", List.of(vm("kv-1", 1, endNs / 2), vm("kv-2", endNs / 2 + MILLI, -1)));
        run.put("ownership", ownership(endNs));
        run.put("migrations", migrations(endNs));
        run.put("stops", List.of(Map.of("process", "host-2", "start", 1, "pid", 77, "reason", "KILLED", "exitStatus",
                137, "atNs", endNs / 2)));
        run.put("results", results);
        return new Sample(run, history);
    }

    private static List<Object> faults(long endNs) {
        return List.of(
                Map.of("name", "partition", "startNs", endNs / 8, "endNs", endNs / 4, "chosen",
                        Map.of("kind", "ring", "pick", 3), "done", List.of("ring", List.of("a>b", "b>a")), "healed",
                        "2 directions"),
                Map.of("name", "kill", "startNs", endNs / 2, "endNs", -1, "chosen", Map.of("role", "agent"), "done",
                        List.of("host-2")));
    }

    private static Map<String, Object> vm(String name, long createdNs, long lostNs) {
        return Map.of("name", name, "uuid", "u-" + name, "slot", 0, "createdNs", createdNs, "lostNs", lostNs);
    }

    private static List<Object> ownership(long endNs) {
        List<Object> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            long startNs = endNs * i / 20;
            all.add(Map.of("vm", i < 10 ? "kv-1" : "kv-2", "vcpu", 0, "host", "host-" + (1 + i % 3), "pid", 70 + i % 3,
                    "epoch", 1 + i % 10, "startNs", startNs, "endNs", i == 19 ? -1 : startNs + endNs / 21));
        }
        return all;
    }

    private static List<Object> migrations(long endNs) {
        List<Object> all = new ArrayList<>();
        for (int i = 1; i < 20; i++) {
            Map<String, Object> one = new LinkedHashMap<>(Map.of("vm", i < 10 ? "kv-1" : "kv-2", "from",
                    "host-" + (1 + (i - 1) % 3), "to", "host-" + (1 + i % 3), "mode", i % 7 == 0 ? "copy" : "handoff",
                    "startNs", endNs * i / 20 - 40 * MILLI, "endNs", endNs * i / 20));
            if (i == 10) {
                one.put("outcome", "HOST_NOT_THERE");
                one.put("error", "HOST_NOT_THERE: " + HOSTILE);
            } else {
                one.put("outcome", "COMPLETED");
                one.put("phases", Map.of("prepareNs", 20 * MILLI, "quiesceNs", 2 * MILLI + i * 10_000L, "publishNs",
                        300_000, "switchNs", 100_000 + i * 7_000, "resumeNs", 50_000, "commitNs", 9 * MILLI));
                one.put("downtimeNs", 450_000 + i * 7_000);
            }
            all.add(one);
        }
        return all;
    }
}
