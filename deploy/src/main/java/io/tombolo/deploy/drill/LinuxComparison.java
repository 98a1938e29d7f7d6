package io.tombolo.deploy.drill;

import io.tombolo.agent.qemu.BareHop;
import io.tombolo.agent.qemu.ComparisonResult;
import io.tombolo.agent.qemu.ComparisonSetup;
import io.tombolo.agent.qemu.GuestLoad;
import io.tombolo.agent.qemu.PreCopy;
import io.tombolo.agent.qemu.QemuBinary;
import io.tombolo.agent.qemu.QemuError;
import io.tombolo.agent.qemu.QemuInstallation;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.report.DrillReport.Baseline;
import io.tombolo.deploy.report.DrillReport.Compare;
import io.tombolo.deploy.report.DrillReport.Median;
import io.tombolo.deploy.report.DrillReport.MedianMax;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Moves the guest of a drill by QEMU's own means: the same image, memory, load and accelerator, after the cluster has
/// gone, so that nothing else runs.
public final class LinuxComparison {
    private static final int BARE_HOPS_MAX = 20;
    /// A pre-copy takes seconds, and its spread is small against what it is compared with.
    private static final int PRECOPIES = 3;
    private static final int BEAT_MS = 100;

    private LinuxComparison() {
    }

    /// Runs both; takes about half a minute.
    ///
    /// @param memoryDirectory a memory file system with room for the guest
    public static Compare run(DrillPlan plan, Path memoryDirectory, DrillProgress progress) {
        Path directory;
        try {
            directory = Files.createTempDirectory("tombolo-cmp");
        } catch (IOException e) {
            throw failed(e);
        }
        try {
            ComparisonSetup setup = setup(plan.vm(), memoryDirectory, directory);
            int hops = Math.min(plan.hops(), BARE_HOPS_MAX);
            progress.step("  bare QMP hop, " + hops + " times");
            Baseline bare = baseline(new BareHop(setup).run(hops, done -> progress.count(done, hops, "bare QMP hop")),
                    0);
            progress.step("  QEMU pre-copy over TCP, " + PRECOPIES + " times");
            return new Compare(bare, precopy(setup, progress));
        } finally {
            remove(directory);
        }
    }

    /// Under TCG, QEMU's pre-copy now and then loses a store: a vCPU marks the page dirty, the migration takes the mark
    /// and copies the page, and only then the vCPU stores. The guest's checker finds it. Such a move is counted and
    /// left out; the others are still what Tombolo is to be compared with.
    private static Baseline precopy(ComparisonSetup setup, DrillProgress progress) {
        List<ComparisonResult.Run> runs = new ArrayList<>();
        int corrupted = 0;
        while (runs.size() < PRECOPIES) {
            try {
                runs.addAll(new PreCopy(setup).run(1, _ -> {
                }).runs());
                progress.count(runs.size(), PRECOPIES, "pre-copy");
            } catch (TomboloException e) {
                corrupted++;
                if (e.code() != QemuError.GUEST_FAILED || corrupted > PRECOPIES) {
                    throw e;
                }
            }
        }
        return baseline(new ComparisonResult(runs), corrupted);
    }

    private static ComparisonSetup setup(VmSpec vm, Path memoryDirectory, Path directory) {
        QemuInstallation qemu = QemuInstallation.find(QemuBinary.NAME, "auto", "", directory);
        return new ComparisonSetup(qemu.binary(), qemu.accelerator(), qemu.image(),
                new GuestLoad(vm.workingSetBytes(), vm.pattern(), vm.seed(), vm.vcpus(), BEAT_MS), vm.memoryBytes(),
                vm.vcpus(), memoryDirectory, directory);
    }

    private static Baseline baseline(ComparisonResult result, int corrupted) {
        return new Baseline(new Median(result.totalNsP50()),
                new MedianMax(result.downtimeNsP50(), result.downtimeNsMax()), result.bytesP50(), result.runs().size(),
                corrupted);
    }

    /// The comparisons remove what they put there.
    private static void remove(Path directory) {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static TomboloException failed(IOException cause) {
        return TomboloException.error(DeployError.COMPARISON_FAILED, "the directory of the comparison is of no use")
                .fact("cause", cause).next("make the directory for temporary files writable").cause(cause).build();
    }
}
