package io.tombolo.chaos.planted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The bugs themselves run in clusters of processes, by [PlantedRuns]; this says that each is where it is thought to
/// be.
class PlantedLoaderTest {
    private static PlantedLoader loader(RealBug bug) {
        return new PlantedLoader(bug, PlantedLoaderTest.class.getClassLoader());
    }

    @ParameterizedTest
    @EnumSource
    void everyBugFitsTheClassThatIsShipped(RealBug bug) throws ClassNotFoundException {
        Class<?> planted = Class.forName(bug.in(), true, loader(bug));

        assertThat(planted.getClassLoader()).isInstanceOf(PlantedLoader.class);
        // Links what is called instead.
        assertThat(Arrays.stream(planted.getClassLoader().loadClass(Hooks.class.getName()).getMethods())
                .filter(method -> method.getName().equals(bug.hook()))).hasSize(1);
        assertThatCode(planted::getDeclaredMethods).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @EnumSource
    void everyBugHasARunWhoseFaultsComeByTheMomentThatMatters(RealBug bug) {
        assertThat(PlantedRuns.seed(bug)).isNotNegative();
    }
}
