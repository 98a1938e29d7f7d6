package io.tombolo.deploy.drill;

import io.tombolo.agent.qemu.AcceleratorProbe;
import io.tombolo.agent.qemu.BareHop;
import io.tombolo.agent.qemu.ComparisonResult;
import io.tombolo.agent.qemu.ComparisonSetup;
import io.tombolo.agent.qemu.GuestImage;
import io.tombolo.agent.qemu.GuestLoad;
import io.tombolo.agent.qemu.PreCopy;
import io.tombolo.agent.qemu.QemuBinary;
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
import java.util.Map;
import java.util.Optional;

/// Moves the guest of a drill by QEMU's own means: the same image, memory, load and accelerator, after the cluster has gone,
/// so that nothing else runs.
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
            Baseline bare = baseline(new BareHop(setup).run(hops, done -> progress.count(done, hops, "bare QMP hop")));
            progress.step("  QEMU pre-copy over TCP, " + PRECOPIES + " times");
            Baseline precopy = baseline(
                    new PreCopy(setup).run(PRECOPIES, done -> progress.count(done, PRECOPIES, "pre-copy")));
            return new Compare(bare, precopy);
        } finally {
            remove(directory);
        }
    }

    private static ComparisonSetup setup(VmSpec vm, Path memoryDirectory, Path directory) {
        Map<String, String> environment = System.getenv();
        QemuBinary binary = QemuBinary.find(Optional.empty(), environment.getOrDefault("PATH", ""));
        Path cache = GuestImage.defaultCache(environment);
        GuestImage image = GuestImage.ensure(cache, environment);
        return new ComparisonSetup(binary, AcceleratorProbe.probe(binary, image, cache, directory).accelerator(), image,
                new GuestLoad(vm.workingSetBytes(), vm.pattern(), vm.seed(), vm.vcpus(), BEAT_MS), vm.memoryBytes(),
                vm.vcpus(), memoryDirectory, directory);
    }

    private static Baseline baseline(ComparisonResult result) {
        return new Baseline(new Median(result.totalNsP50()),
                new MedianMax(result.downtimeNsP50(), result.downtimeNsMax()), result.bytesP50(), result.runs().size());
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
