package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class ComparisonTest {
    /// How long each takes is the drill's to judge, where nothing else runs; here what each of them moves.
    @Test
    void hopsLeaveGuestMemoryWhereItIsAndPreCopySendsIt() throws IOException {
        Figures figures = Figures.measure(6, 2);
        assertThat(figures.bare().runs()).hasSize(6);
        assertThat(figures.bare().bytesP50()).as("guest memory is not sent").isLessThan(1 << 20);
        assertThat(figures.own().bytesP50()).as("guest memory is not sent").isLessThan(1 << 20);
        assertThat(figures.bare().runs()).as("each move's own figures")
                .allMatch(r -> r.bytes() > 0 && r.downtimeNs() > 0);
        assertThat(figures.preCopy().bytesP50()).as("guest memory is sent").isGreaterThan(Figures.WORKING_SET_BYTES);
    }

    /// One guest moved in the three ways, in one run.
    record Figures(ComparisonResult own, ComparisonResult bare, ComparisonResult preCopy) {
        static final long WORKING_SET_BYTES = 256L << 20;

        /// More runs than a test can afford: `java -cp ... io.tombolo.agent.qemu.ComparisonTest$Figures HOPS
        /// PRECOPIES`.
        public static void main(String[] args) throws IOException {
            measure(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
        }

        static Figures measure(int hops, int preCopies) throws IOException {
            GuestLoad load = new GuestLoad(WORKING_SET_BYTES, "sequential", 7, 1, 50);
            try (GuestLab lab = new GuestLab(512L << 20, load)) {
                Figures figures = new Figures(hops(lab, hops), new BareHop(lab.comparison()).run(hops, _ -> {
                }), new PreCopy(lab.comparison()).run(preCopies, _ -> {
                }));
                print("own hop", figures.own);
                print("bare hop", figures.bare);
                print("pre-copy", figures.preCopy);
                return figures;
            }
        }

        private static ComparisonResult hops(GuestLab lab, int count) {
            ComparisonResult.Run[] runs = new ComparisonResult.Run[count];
            QemuGuest source = lab.boot();
            for (int i = 0; i < count; i++) {
                QemuGuest target = lab.prelaunch();
                GuestLab.Hop hop = lab.hop(source, target);
                System.out.println("hop " + i + ": " + hop.line());
                runs[i] = new ComparisonResult.Run(hop.totalNs(), hop.downtimeNs(), hop.saved().length());
                lab.awaitProgress(target);
                source = target;
            }
            source.kill();
            return new ComparisonResult(Arrays.asList(runs));
        }

        private static void print(String name, ComparisonResult result) {
            System.out.printf("%s: downtime us %s, total us %s%n", name,
                    Arrays.toString(result.runs().stream().mapToLong(r -> GuestLab.us(r.downtimeNs())).toArray()),
                    Arrays.toString(result.runs().stream().mapToLong(r -> GuestLab.us(r.totalNs())).toArray()));
            System.out.printf("%s: downtime p50 %d us, max %d us, total p50 %d us, bytes p50 %d%n", name,
                    GuestLab.us(result.downtimeNsP50()), GuestLab.us(result.downtimeNsMax()),
                    GuestLab.us(result.totalNsP50()), result.bytesP50());
        }
    }
}
