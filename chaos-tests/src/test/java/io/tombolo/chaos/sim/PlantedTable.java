package io.tombolo.chaos.sim;

import io.tombolo.chaos.sim.PlantedMemory.Mistake;
import java.util.Set;
import java.util.TreeSet;

/// Prints how many schedules it takes to find each planted bug, for the table in docs/simulator.md: arguments are the
/// most schedules to try, and `sites` for every call of the memory port as well.
final class PlantedTable {
    private PlantedTable() {
    }

    /// Schedules until it was found, -1 if it was not; then `what` says how many hand-offs and moves there were.
    static long find(Wiring wiring, long seed, long most, String[] what) {
        Simulator simulator = new Simulator(wiring);
        long handoffs = 0;
        long pages = 0;
        for (long i = 0; i < most; i++) {
            Simulator.Outcome outcome = simulator.run(seed + i, false);
            handoffs += outcome.handoffs();
            pages += outcome.pagesMoved();
            if (outcome.failed()) {
                what[0] = outcome.violation();
                return i + 1;
            }
        }
        what[0] = handoffs + " hand-offs, " + pages + " pages moved";
        return -1;
    }

    static Set<String> sites(Mistake mistake, int schedules) {
        Set<String> seen = new TreeSet<>();
        Simulator simulator = new Simulator(
                PlantedBug.ports((world, process) -> new PlantedMemory(world, process, mistake, null, seen)));
        for (int i = 0; i < schedules; i++) {
            simulator.run(i, false);
        }
        return seen;
    }

    public static void main(String[] args) {
        Quiet.please();
        long most = Long.parseLong(args[0]);
        String[] what = new String[1];
        if (args.length == 1) {
            System.out.println("| nothing | " + find(Wiring.SOUND, 1, most, what) + " | " + what[0] + " |");
            for (PlantedBug bug : PlantedBug.values()) {
                long found = find(bug.wiring(), 1, most, what);
                System.out.println("| " + bug.text() + " | " + (found < 0 ? "not in " + most : found) + " | "
                        + what[0] + " |");
            }
            return;
        }
        for (Mistake mistake : Mistake.values()) {
            if (!args[1].equals("sites") && !args[1].equals(mistake.name())) {
                continue;
            }
            for (String site : sites(mistake, 200)) {
                long found = find(
                        PlantedBug.ports((world, process) -> new PlantedMemory(world, process, mistake, site, null)), 1,
                        most, what);
                System.out.println("| " + mistake + " | " + site + " | " + (found < 0 ? "not in " + most : found)
                        + " | " + what[0].substring(0, Math.min(90, what[0].length())) + " |");
            }
        }
    }
}
