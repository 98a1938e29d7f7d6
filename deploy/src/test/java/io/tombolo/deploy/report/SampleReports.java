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
import io.tombolo.deploy.report.DrillReport.Mode;
import io.tombolo.deploy.report.DrillReport.Moved;
import io.tombolo.deploy.report.DrillReport.OneWay;
import io.tombolo.deploy.report.DrillReport.OpsPerSecond;
import io.tombolo.deploy.report.DrillReport.PageWaits;
import io.tombolo.deploy.report.DrillReport.Speed;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.deploy.report.DrillReport.Verification;
import io.tombolo.deploy.report.DrillReport.WarmUp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

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

    /// Eight hops of a simulated guest in each mode, with everything that can be measured.
    public static DrillReport comparedModes() {
        List<Hop> handoff = hops(8, 1_000);
        List<Hop> transit = moved(handoff, "transit", 340_000_000, 2);
        List<Hop> copy = moved(handoff, "copy", 900_000_000, 3);
        DrillReport base = report("simulated", handoff, null, null);
        List<Hop> all = Stream.of(handoff, transit, copy).flatMap(List::stream).toList();
        return new DrillReport(base.guest(), base.mode(), base.hops(), 256L << 20, base.downtimeNs(), base.phases(),
                base.warmUp(), base.contextSwitchNs(), 0,
                List.of(mode(handoff, 400_000_000, 398_000_000), mode(transit, 400_000_000, 331_000_000),
                        mode(copy, 400_000_000, 262_000_000)),
                base.verification(), null, null, base.vm(), base.seed(), base.startedAt(), base.elapsedMs(),
                base.versions(), base.host(), all, base.checks(), false);
    }

    private static List<Hop> moved(List<Hop> hops, String mode, long totalNs, int copies) {
        return hops.stream().map(h -> new Hop(mode, h.hop(), h.from(), h.to(), h.epoch(), (h.hop() - 1) * 1_300L + 200,
                mode.equals("copy") ? 41_000_000 + h.downtimeNs() : h.downtimeNs(), h.prepareNs(), h.quiesceNs(),
                h.publishNs(), h.switchNs(), h.resumeNs(), h.commitNs(), h.stateBytes(),
                mode.equals("copy") ? 9 << 20 : 0, true, totalNs + h.hop() * 3_000_000L, copies * (256L << 20),
                mode.equals("copy") ? 0 : 65_536, 65_536, mode.equals("copy") ? 0 : 150_000_000, 170_000_000))
                .toList();
    }

    private static Mode mode(List<Hop> hops, long calm, long during) {
        String mode = hops.getFirst().mode();
        Random random = new Random(11);
        List<Speed> speed = new ArrayList<>();
        for (long atMs = 0; atMs < hops.getLast().atMs() + 800; atMs += 50) {
            long at = atMs;
            boolean moving = hops.stream()
                    .anyMatch(h -> at >= h.atMs() && at <= h.atMs() + h.totalNs() / 1_000_000);
            speed.add(new Speed(atMs, (moving ? during : calm) + random.nextLong(20_000_000)));
        }
        boolean handoff = mode.equals("handoff");
        long[] totals = hops.stream().mapToLong(Hop::totalNs).toArray();
        return new Mode(mode, hops.size(), Statistics.of(totals), DrillReport.of(hops, Hop::downtimeNs),
                DrillReport.medianOf(hops, Hop::bytesMoved), hops.stream().mapToLong(Hop::bytesCopied).sum(),
                mode.equals("transit") ? new Moved(65_536, 150_000_000, 1_789_569_706L) : null,
                handoff ? null : new Moved(65_536, 170_000_000, 1_579_032_093L),
                new OpsPerSecond(calm, during, calm - 2_000_000), 48_200L, new PageWaits(1_234, 21_000, 48_200),
                new Verification(true, 0, 0, "byte for byte against a run that never moved", 256L << 20, 0), null,
                speed);
    }

    private static DrillReport report(String guest, List<Hop> hops, Compare compare, Clients clients) {
        ContextSwitch contextSwitch = new ContextSwitch(2_549, new OneWay(2_549, 4_096, 2_420, 40_000),
                new OneWay(22_300, 38_000, 7_700, 40_000));
        List<Check> checks = List.of(new Check("guest memory as it must be", Verdict.PASS, "byte for byte, 1 GiB"),
                new Check("no frame leaked", Verdict.FAIL, "3 frames"),
                new Check("downtime p99 <= 1 ms", Verdict.MISSED, "1.9 ms"));
        Verification verification = new Verification(true, 0, 3, "byte for byte against a run that never moved",
                1L << 30, 0);
        Mode handoff = new Mode("handoff", hops.size(),
                Statistics.of(hops.stream().mapToLong(Hop::totalNs).toArray()),
                DrillReport.of(hops, Hop::downtimeNs), 0, 0, null, null, null, null, null, verification, clients,
                List.of());
        return new DrillReport(guest, "handoff", hops.size(), 1L << 30, DrillReport.of(hops, Hop::downtimeNs),
                DrillReport.phasesOf(hops), new WarmUp(20, DrillReport.of(hops, Hop::prepareNs)), contextSwitch, 0,
                List.of(handoff), verification, compare, clients,
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
            hops.add(new Hop("handoff", i + 1, "h" + (i % 3 + 1), "h" + ((i + 1) % 3 + 1), i + 2,
                    i * 85L + random.nextLong(20),
                    publish + switchNs + resume, 6_000_000 + random.nextLong(3_000_000), quiesce, publish,
                    switchNs, resume, 3_000_000 + random.nextLong(2_000_000), 352, 0, true,
                    12_000_000 + random.nextLong(3_000_000), 0, 0, 0, 0, 0));
        }
        return hops;
    }
}
