package io.tombolo.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/// The simulator itself: a seed is a schedule, the shipped protocols pass, and each mistake that is planted is found.
final class SimulatorTest {
    private static final long SEED = Long.getLong("tombolo.seed", 1);
    private static final int SOUND = 2_000;

    @BeforeAll
    static void quiet() {
        Quiet.please();
    }

    @Test
    void aSeedIsTheSameScheduleEveryTime() {
        Simulator one = new Simulator(Wiring.SOUND);
        Simulator other = new Simulator(Wiring.SOUND);
        for (long seed = 300; seed < 320; seed++) {
            Simulator.Outcome first = one.run(seed, true);
            // The other one has run something else before.
            other.run(seed + 7, false);
            assertThat(other.run(seed, true).trace()).as("seed " + seed).isEqualTo(first.trace());
        }
    }

    @Test
    void findsNothingWrongWithTheShippedProtocols() throws InterruptedException {
        Campaign.Result result = new Campaign(Wiring.SOUND, SEED, SOUND, (_, _, _) -> {
        }).run(2);
        System.out.println("simulated: seed=" + SEED + " " + result);
        assertThat(result.crash()).isNull();
        assertThat(result.firstFailingSeed()).as(result.firstViolation()).isNull();
        assertThat(result.schedules()).isEqualTo(SOUND);
        assertThat(result.handoffs()).isGreaterThan(SOUND / 4);
        assertThat(result.checks()).isGreaterThan(SOUND * 100L);
    }

    @ParameterizedTest
    @EnumSource(value = PlantedBug.class, mode = EnumSource.Mode.EXCLUDE, names = {"TAG_NOT_COMPARED",
            "ONE_METADATA_SLOT"})
    void findsWhatIsPlanted(PlantedBug bug) {
        String[] what = new String[1];
        long found = PlantedTable.find(bug.wiring(), 1, bug.within(), what);
        System.out.println("planted: " + bug.text() + ": found in schedule " + found + ": " + what[0]);
        assertThat(found).as(bug.text()).isPositive();
    }

    @Test
    void theCommandTellsWhatItDidAndReplaysASeed() throws Exception {
        StringWriter out = new StringWriter();
        CommandLine command = new CommandLine(new SimulateCommand()).setOut(new PrintWriter(out))
                .setErr(new PrintWriter(new StringWriter()));
        assertThat(command.execute("--schedules", "20", "--seed", "5", "--json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("schedules").asLong()).isEqualTo(20);
        assertThat(json.get("steps").asLong()).isPositive();
        assertThat(json.get("violations").asLong()).isZero();
        assertThat(json.get("firstFailingSeed").isNull()).isTrue();
        out.getBuffer().setLength(0);
        assertThat(command.execute("--seed", "5", "--trace")).isZero();
        assertThat(out.toString()).contains("seed 5: Plan[").contains("faults end").contains("nothing is wrong");
        assertThat(command.execute("--trace")).as("without a seed").isEqualTo(2);
    }
}
