package io.tombolo.chaos.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.chaos.sim.SimulateCommand;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/// `simulate --exhaustive`, and the walk itself on worlds of which everything is known.
final class ExhaustiveTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int simulate(String... args) {
        return new CommandLine(new SimulateCommand()).setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .execute(args);
    }

    @Test
    void theCommandTellsWhatWasExploredWithinWhichBounds() {
        assertThat(simulate("--exhaustive", "lease,hand-off", "--faults", "0")).isZero();
        assertThat(out.toString()).containsSubsequence("hand-off: complete: ", "within: ", "0 faults",
                "hand-off: complete: ", "lease: complete: ", "within: ");
    }

    @Test
    void theCommandPrintsOneJsonValue() throws IOException {
        assertThat(simulate("--exhaustive", "lease", "--faults", "0", "--json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("faults").asInt()).isZero();
        assertThat(json.get("violations").asInt()).isZero();
        JsonNode lease = json.get("explorations").get(0);
        assertThat(lease.get("protocol").asText()).isEqualTo("lease");
        assertThat(lease.get("states").asInt()).isGreaterThan(100);
        assertThat(lease.get("transitions").asLong()).isGreaterThan(lease.get("states").asLong());
        assertThat(lease.get("depth").asInt()).isPositive();
        assertThat(lease.get("complete").asBoolean()).isTrue();
        assertThat(lease.get("bounds").size()).isPositive();
        assertThat(lease.get("violation").isNull()).isTrue();
        assertThat(lease.get("trace").isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--exhaustive lease --schedules 5", "--exhaustive lease --seed 5",
            "--exhaustive lease --seed 5 --trace", "--exhaustive lease --faults -1", "--exhaustive leese",
            "--faults 2", "--exhaustive lease --threads 0"})
    void whatDoesNotGoTogetherIsRefused(String line) {
        assertThat(simulate(line.split(" "))).isEqualTo(2);
        assertThat(err.toString())
                .contains(line.contains("leese") ? "there are hand-off, lease, page-move, takeover, all" : "--");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aHeapThatIsTooSmallIsRefusedBeforehand() {
        Exhaustive exhaustive = new Exhaustive(2, 2, 512L << 20, System.out::println, exploration -> {
            throw new AssertionError("nothing is to be explored: " + exploration);
        });
        assertThatThrownBy(() -> exhaustive.run(List.of(Exhaustive.Protocol.values())))
                .isInstanceOfSatisfying(TomboloException.class, refused -> {
                    assertThat(refused.code().exitStatus()).isEqualTo(4);
                    assertThat(refused.getMessage()).contains("heapMb=512").contains("neededMb=")
                            .contains("TOMBOLO_JAVA_OPTS=-Xmx2g");
                });
    }

    @Test
    void anExplorationThatIsTooLargeIsGivenUp() {
        Exploration given = Exhaustive.explore(new LeaseModel(1), 1_000, System.out::println);
        assertThat(given.result().complete()).isFalse();
        assertThat(given.result().violation()).isEmpty();
        assertThat(given.text()).contains("lease: GIVEN UP: 1,00");
    }

    @Test
    void theTraceIsAShortestOneAndTellsWhatChanged() {
        Explorer.Result result = new Explorer<>(new Walk(7, -1), 1_000, System.out::println).run();
        assertThat(result.violation()).contains("at 7");
        assertThat(result.trace().stream().map(Explorer.TraceStep::toString)).containsExactly(
                "in the beginning                                     | left 0; right 0",
                "walker: adds 3                                       | left 3",
                "walker: adds 3                                       | left 6",
                "walker: slips (fault)                                | left 7; right 1");
        assertThat(new Exploration("walk", List.of("7 is bad"), result).text()).contains("walk: VIOLATION: ",
                "  within: 7 is bad", "  after 3 steps: at 7", "    3 walker: slips (fault)");
    }

    @Test
    void aWorldWithoutAWayOutIsFoundWithTheShortestWayToIt() {
        Explorer.Result result = new Explorer<>(new Walk(-1, 6), 1_000, System.out::println).run();
        assertThat(result.violation()).contains("no way leads from here to a good end");
        assertThat(result.steps()).isEqualTo(2);
        assertThat(result.trace().getLast().changed()).containsEntry("left", "6");
    }

    /// Adds 3 or 5 up to 20, where it is good; may slip by 1 once.
    ///
    /// @param bad must not be
    /// @param stuck from there nothing leads on
    private record Walk(int bad, int stuck) implements Model<Walk.At> {
        private record At(Integer left, Integer right) {
        }

        @Override
        public String name() {
            return "walk";
        }

        @Override
        public List<At> starts() {
            return List.of(new At(0, 0));
        }

        @Override
        public void steps(At world, Steps<At> to) {
            if (world.left() == stuck) {
                return;
            }
            for (int step = 3; step <= 5; step += 2) {
                to.step("walker", "adds " + step, new At(Math.min(20, world.left() + step), world.right()));
            }
            if (world.right() == 0) {
                to.fault("walker", "slips", new At(world.left() + 1, 1));
            }
        }

        @Override
        public Optional<String> violation(At world) {
            return world.left() == bad ? Optional.of("at " + bad) : Optional.empty();
        }

        @Override
        public boolean isGood(At world) {
            return world.left() >= 20;
        }

        @Override
        public Object[] parts(At world) {
            return new Object[]{world.left(), world.right()};
        }

        @Override
        public At of(Object[] parts) {
            return new At((Integer) parts[0], (Integer) parts[1]);
        }

        @Override
        public Map<String, String> facts(At world) {
            Map<String, String> facts = new LinkedHashMap<>();
            facts.put("left", "" + world.left());
            facts.put("right", "" + world.right());
            return facts;
        }

        @Override
        public List<String> bounds() {
            return List.of();
        }
    }
}
