package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class ComparisonTest {
    private static final int HOPS = Integer.getInteger("tombolo.test.hops", 6);
    private static final int PRE_COPIES = Integer.getInteger("tombolo.test.precopies", 2);

    /// The figures to reach are checked where nothing else runs (the drill's report); here only that they are of the right kind.
    @Test
    void aHopIsLikeABareHopAndFarBelowPreCopy() throws IOException {
        GuestLoad load = new GuestLoad(256L << 20, "sequential", 7, 1, 50);
        try (GuestLab lab = new GuestLab(512L << 20, load)) {
            long[] downtimes = new long[HOPS];
            long[] totals = new long[HOPS];
            QemuGuest source = lab.boot();
            for (int i = 0; i < HOPS; i++) {
                QemuGuest target = lab.prelaunch();
                GuestLab.Hop hop = lab.hop(source, target);
                System.out.println("hop " + i + ": " + hop.line());
                downtimes[i] = hop.downtimeNs();
                totals[i] = hop.totalNs();
                lab.awaitProgress(target);
                source = target;
            }
            source.kill();
            Arrays.sort(downtimes);
            Arrays.sort(totals);
            long downtime = downtimes[(HOPS - 1) / 2];
            System.out.printf("own hop:  downtime p50 %d us, total p50 %d us%n", GuestLab.us(downtime),
                    GuestLab.us(totals[(HOPS - 1) / 2]));
            ComparisonResult bare = new BareHop(lab.comparison()).run(HOPS, _ -> {
            });
            print("bare hop", bare);
            ComparisonResult preCopy = new PreCopy(lab.comparison()).run(PRE_COPIES, _ -> {
            });
            print("pre-copy", preCopy);
            assertThat(bare.runs()).hasSize(HOPS);
            assertThat(bare.bytesP50()).as("guest memory is not sent").isLessThan(1 << 20);
            assertThat(preCopy.bytesP50()).as("guest memory is sent").isGreaterThan(load.workingSetBytes());
            assertThat(downtime).isLessThan(4 * bare.downtimeNsP50());
            assertThat(downtime).isLessThan(preCopy.downtimeNsP50() / 3);
            assertThat(totals[(HOPS - 1) / 2]).isLessThan(preCopy.totalNsP50() / 20);
        }
    }

    private static void print(String name, ComparisonResult result) {
        result.runs().forEach(run -> System.out.printf("  %s: downtime %d us, total %d us, %d bytes%n", name,
                GuestLab.us(run.downtimeNs()), GuestLab.us(run.totalNs()), run.bytes()));
        System.out.printf("%s: downtime p50 %d us, total p50 %d us, bytes p50 %d%n", name,
                GuestLab.us(result.downtimeNsP50()), GuestLab.us(result.totalNsP50()), result.bytesP50());
    }
}
