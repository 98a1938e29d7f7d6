package io.tombolo.region;

import static io.tombolo.region.CrashHarness.NEVER;
import static io.tombolo.region.CrashHarness.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.pages.PageMover;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.CrashHarness.Finding;
import io.tombolo.region.CrashSites.Mistake;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// As CrashPlantedTest of the region, for what the agent stores to page tables. `main` prints the table of
/// docs/planted-bugs.md. What the agent stores in a hand-off is taken out by the simulator.
class CrashPlantedInAgentTest {
    static final Class<?>[] PRODUCT = {PageMover.class, VmPages.class, copyTarget()};

    /// Not public.
    private static Class<?> copyTarget() {
        try {
            return Class.forName("io.tombolo.agent.handoff.CopyTarget");
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    static Map<String, Finding> all(Mistake mistake) {
        Map<String, Finding> found = new TreeMap<>(
                new CrashHarness(2048).planted(PageMoverCrashTest.operations(), mistake, PRODUCT));
        found.putAll(new CrashHarness(1024).planted(CopyTargetCrashTest.operations(), mistake, PRODUCT));
        return found;
    }

    @Test
    void noticesEachMissingPersist() {
        Map<String, Finding> found = all(Mistake.NO_PERSIST);
        // Whoever finds the frames of another host in LOCAL entries makes nothing of them: the pages are gone with the
        // host either way.
        assertThat(CrashHarness.with(NOTHING, found, PRODUCT)).containsExactly("CopyTarget.install persist 1");
        assertThat(found.keySet()).containsAll(CrashSites.all(Mistake.NO_PERSIST, PRODUCT));
    }

    @Test
    void noticesEachMissingStore() {
        Map<String, Finding> found = all(Mistake.NO_STORE);
        assertThat(CrashHarness.with(NOTHING, found, PRODUCT)).isEmpty();
        assertThat(found.keySet()).containsAll(CrashSites.all(Mistake.NO_STORE, PRODUCT));
    }

    public static void main(String[] arguments) {
        for (Mistake mistake : Mistake.values()) {
            System.out.println("\n" + mistake);
            Map<String, Finding> found = all(mistake);
            Set<String> places = CrashSites.all(mistake, PRODUCT);
            places.forEach(place -> found.putIfAbsent(place, NEVER));
            CrashSites.named(found).forEach((name, finding) -> System.out.println("| " + name + " | " + finding));
        }
    }
}
