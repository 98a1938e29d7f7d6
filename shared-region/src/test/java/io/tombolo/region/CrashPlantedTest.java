package io.tombolo.region;

import static io.tombolo.region.CrashHarness.NEVER;
import static io.tombolo.region.CrashHarness.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.CrashHarness.Finding;
import io.tombolo.region.CrashSites.Mistake;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Takes each call of the region's code that persists, and each that stores, out in turn: the enumerations of crashes
/// must notice. What they do not notice is named here with the reason, and so is a call that they never meet. `main`
/// prints the table of docs/planted-bugs.md.
class CrashPlantedTest {
    /// Whoever stores to the region in this module.
    static final Class<?>[] PRODUCT = {FrameAllocator.class, HostSlot.class, HostSlots.class, MetadataSlot.class,
            PageTable.class, Recovery.class, RegionFormatter.class, VmGate.class, VmMemory.class, VmPins.class,
            VmRecovery.class, VmSlot.class, VmSlots.class, OwnersInDoubt.class, PageCheckpoint.class, PreimageLog.class,
            Protection.class, ReservedFrames.class, Rollback.class, Takeover.class};

    static Map<String, Finding> all(Mistake mistake) {
        List<CrashHarness.Operation> small = new ArrayList<>(CrashEnumerationTest.operations());
        small.addAll(CrashEnumerationTest.recoveries());
        Map<String, Finding> found = new TreeMap<>(new CrashHarness(1024).planted(small, mistake, PRODUCT));
        new CrashHarness(1024).planted(ProtectionCrashTest.planted(), mistake, PRODUCT)
                .forEach((place, finding) -> found.merge(place, finding,
                        (one, other) -> one.equals(NOTHING) ? other : one));
        new CrashHarness(2048).planted(PageMoveCrashTest.operations(), mistake, PRODUCT)
                .forEach((place, finding) -> found.merge(place, finding,
                        (one, other) -> one.equals(NOTHING) ? other : one));
        for (String place : CrashSites.all(mistake, RegionFormatter.class)) {
            List<String> failures = CrashEnumerationTest.formatFailures(mistake, place);
            found.put(place, failures.isEmpty()
                    ? NOTHING
                    : new Finding("FORMAT", CrashHarness.Model.H, 0, 1, failures.getFirst()));
        }
        return found;
    }

    @Test
    void noticesEachMissingPersist() {
        Map<String, Finding> found = all(Mistake.NO_PERSIST);
        // Whoever fills a reserved frame makes that durable, and the fence of that makes the word durable too, before
        // an entry names the frame.
        assertThat(CrashHarness.with(NOTHING, found, PRODUCT)).containsExactly("FrameAllocator.reserve fence 1");
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
            found.keySet().retainAll(places);
            CrashSites.named(found).forEach((name, finding) -> System.out.println("| " + name + " | " + finding));
        }
    }
}
