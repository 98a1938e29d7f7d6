package io.tombolo.deploy.cli;

import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.HandoffTimings;
import io.tombolo.deploy.report.TextTable;
import io.tombolo.deploy.report.Units;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tombolo timeouts`.
@Command(name = "timeouts", description = {
        "Print every timing that follows from the base figure, and how long a takeover takes at worst.",
        "Needs no cluster."})
final class TimeoutsCommand implements Runnable {
    private static final long PAGE_BYTES = 4096;
    private static final long NS_PER_MS = 1_000_000L;

    @Option(names = "--base", paramLabel = "DURATION", converter = DurationConverter.class, defaultValue = "500ms", description = "The base figure (${DEFAULT-VALUE}).")
    private long baseNs;

    @Option(names = "--memory", paramLabel = "SIZE", converter = SizeConverter.class, defaultValue = "1G", description = "Memory of the VM that is taken over (${DEFAULT-VALUE}).")
    private long memoryBytes;

    @Option(names = "--dirty-pages", paramLabel = "N", description = "Pages it writes between two checkpoints (as many as it can, 65536 at most).")
    private Long dirtyPages;

    @Option(names = "--region-size", paramLabel = "SIZE", converter = SizeConverter.class, defaultValue = "4G", description = "Size of the region (${DEFAULT-VALUE}).")
    private long regionBytes;

    @Mixin
    private OutputMixin output;

    /// What is printed as JSON.
    ///
    /// @param timings  all figures by name
    /// @param takeover the terms of the formula, in the order of time
    record Timeouts(int baseMs, Map<String, Object> timings, long memoryBytes, long regionBytes, long dirtyPages,
            List<TakeoverFormula.Term> takeover, long takeoverNs) {
    }

    @Override
    public void run() {
        Timings timings = new Timings(Options.wholeMs(baseNs));
        long pages = Math.ceilDiv(memoryBytes, PAGE_BYTES);
        long frames = regionBytes / PAGE_BYTES;
        Options.check(memoryBytes <= regionBytes, "--memory", Units.bytes(memoryBytes),
                "at most --region-size, " + Units.bytes(regionBytes));
        TakeoverFormula most = TakeoverFormula.of(timings, frames, pages);
        Options.check(dirtyPages == null || (dirtyPages >= 0 && dirtyPages <= most.dirtyPages()), "--dirty-pages",
                dirtyPages, "0 to " + most.dirtyPages() + ", which is what its log has room for");
        TakeoverFormula formula = dirtyPages == null ? most : new TakeoverFormula(timings, frames, pages, dirtyPages);
        Timeouts all = new Timeouts(timings.baseMs(), figures(timings), memoryBytes, regionBytes, formula.dirtyPages(),
                formula.terms(), formula.totalNs());
        output.print(all, () -> text(all));
    }

    private static Map<String, Object> figures(Timings timings) {
        Map<String, Object> all = new LinkedHashMap<>(timings.figures());
        HandoffTimings handoff = new HandoffTimings(timings.baseMs());
        all.put("handoffConnectMs", handoff.connectMs());
        all.put("handoffPrepareMs", handoff.prepareMs());
        all.put("handoffSwitchMs", handoff.switchMs());
        all.put("handoffFinishMs", handoff.finishMs());
        all.put("handoffRetryMs", handoff.retryMs());
        return all;
    }

    private static String text(Timeouts all) {
        TextTable figures = new TextTable("TIMING", "VALUE", "WHAT FOR");
        all.timings().forEach((name, value) -> figures.row(name.replaceAll("(Ms|Ns)$", ""),
                Units.nanos(((Number) value).longValue() * (name.endsWith("Ms") ? NS_PER_MS : 1)),
                PURPOSES.getOrDefault(name, "-")));
        TextTable terms = new TextTable("TAKEOVER", "FORMULA", "WITH FIGURES", "AT MOST");
        all.takeover().forEach(term -> terms.row(term.name(), term.formula(), term.values(), Units.nanos(term.ns())));
        terms.row("sum", "-", "-", Units.nanos(all.takeoverNs()));
        return figures.text() + "\n" + terms.text() + "\nB = base, T = session, tick = zooKeeperTick, a = 1, W ="
                + " watchdog, C = checkPeriod, S = scan, Kr = killToReaped, rho = 1/1000.\n"
                + "A VM of " + Units.bytes(all.memoryBytes()) + " in a region of " + Units.bytes(all.regionBytes())
                + " that writes " + all.dirtyPages() + " pages between two checkpoints. One failure at a time,\n"
                + "counted from the later of the failure and \"ZooKeeper has a quorum and a coordinator leads\".\n"
                + "A host without a working watchdog or supervisor is waited for until somebody or something confirms"
                + " that it has stopped.\n";
    }

    private static final Map<String, String> PURPOSES = Map.ofEntries(Map.entry("baseMs", "the one figure to turn"),
            Map.entry("zooKeeperTickMs", "tickTime of the bundled ensemble"),
            Map.entry("sessionMs", "session with ZooKeeper"),
            Map.entry("heartbeatPeriodMs", "an agent's own request on its session"),
            Map.entry("deadlineMs", "after the last confirmed heartbeat a host stops its VMs"),
            Map.entry("warnAtMs", "after it the operator is warned"),
            Map.entry("watchdogMs", "SIGKILL this long after the oldest check"),
            Map.entry("petPeriodMs", "a sign of life to the watchdog"),
            Map.entry("checkPeriodNs", "every storing thread looks at its right this often"),
            Map.entry("plainCheckAgeLimitNs", "the same with plain sd_notify"),
            Map.entry("keeperTickMs", "slot word and clocks are read this often"),
            Map.entry("scanMs", "end of the watchdog until SIGKILL is sent"),
            Map.entry("killToReapedMs", "SIGKILL until the kill group is empty"),
            Map.entry("certainlyStoppedTimestampedNs", "slot word left LIVE until all has stopped"),
            Map.entry("certainlyStoppedPlainNs", "the same with plain sd_notify"),
            Map.entry("detectionMs", "death of a host until ZooKeeper has removed its session"),
            Map.entry("requestTimeoutMs", "one request between two processes"),
            Map.entry("startTimeoutMs", "a process until it is ready"),
            Map.entry("handoffConnectMs", "connection to an agent"),
            Map.entry("handoffPrepareMs", "target maps, validates, pre-launches"),
            Map.entry("handoffSwitchMs", "source stops the VM and sees the target run"),
            Map.entry("handoffFinishMs", "source cleans up"), Map.entry("handoffRetryMs", "between two attempts"));
}
