package io.tombolo.deploy.report;

import io.tombolo.deploy.report.DrillReport.Baseline;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Clients;
import io.tombolo.deploy.report.DrillReport.Compare;
import io.tombolo.deploy.report.DrillReport.ContextSwitch;
import io.tombolo.deploy.report.DrillReport.Guest;
import io.tombolo.deploy.report.DrillReport.Hop;
import io.tombolo.deploy.report.DrillReport.HostFacts;
import io.tombolo.deploy.report.DrillReport.Median;
import io.tombolo.deploy.report.DrillReport.MedianMax;
import io.tombolo.deploy.report.DrillReport.OneWay;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.deploy.report.DrillReport.Verification;
import io.tombolo.deploy.report.DrillReport.WarmUp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Reports of drills that never were, the same for the same seed.
public final class SampleReports {
    private SampleReports() {
    }

    /// Thirty hops of a simulated guest, one of them slow.
    public static DrillReport simulated() {
        return report("simulated", hops(30, 1_000), null, null);
    }

    /// The same with clients.
    public static DrillReport withClients() {
        return report("simulated", hops(30, 1_000), null, new Clients(2, 4_321, 87, 1, 23_400_000));
    }

    /// Ten hops of a Linux guest with both comparisons.
    public static DrillReport linuxCompared() {
        Compare compare = new Compare(
                new Baseline(new Median(6_800_000), new MedianMax(2_600_000, 3_400_000), 211_000, 10, 0),
                new Baseline(new Median(2_330_000_000L), new MedianMax(142_000_000, 171_000_000), 798_000_000, 3, 1));
        return report("linux", hops(10, 900_000), compare, null);
    }

    private static DrillReport report(String guest, List<Hop> hops, Compare compare, Clients clients) {
        ContextSwitch contextSwitch = new ContextSwitch(2_549, new OneWay(2_549, 4_096, 2_420, 40_000),
                new OneWay(22_300, 38_000, 7_700, 40_000));
        List<Check> checks = List.of(new Check("guest memory as it must be", Verdict.PASS, "byte for byte, 1 GiB"),
                new Check("no frame leaked", Verdict.FAIL, "3 frames"),
                new Check("downtime p99 <= 1 ms", Verdict.MISSED, "1.9 ms"));
        return new DrillReport(guest, hops.size(), 1L << 30, DrillReport.of(hops, Hop::downtimeNs),
                DrillReport.phasesOf(hops), new WarmUp(20, DrillReport.of(hops, Hop::prepareNs)), contextSwitch, 0,
                new Verification(true, 0, 3, "byte for byte against a run that never moved", 1L << 30, 0), compare,
                clients,
                new Guest("simulated", 1, "dirty", 1L << 28, "uniform"), -4_611_686_018_427_387_905L,
                "2026-01-02T03:04:05.678901Z", 23_456, Map.of("tombolo", "0.1.0", "java", "25.0.3"),
                new HostFacts(2, "Some CPU </script> @ 2.5 GHz", "Linux 6.18", 24L << 30, "tsc", 3), hops, checks,
                false);
    }

    private static List<Hop> hops(int count, long unitNs) {
        Random random = new Random(7);
        List<Hop> hops = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long quiesce = unitNs + random.nextLong(unitNs / 2);
            long publish = unitNs * 2 + random.nextLong(unitNs);
            long switchNs = unitNs + random.nextLong(unitNs / 4) + (i == count / 2 ? 60 * unitNs : 0);
            long resume = unitNs / 2 + random.nextLong(unitNs / 2);
            hops.add(new Hop(i + 1, "h" + (i % 3 + 1), "h" + ((i + 1) % 3 + 1), i + 2, i * 85L + random.nextLong(20),
                    publish + switchNs + resume, 6_000_000 + random.nextLong(3_000_000), quiesce, publish,
                    switchNs, resume, 3_000_000 + random.nextLong(2_000_000), 352, 0, true));
        }
        return hops;
    }
}
