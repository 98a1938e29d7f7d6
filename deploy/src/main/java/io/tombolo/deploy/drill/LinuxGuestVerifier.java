package io.tombolo.deploy.drill;

import io.tombolo.agent.qemu.GuestConsole;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.Optional;

/// A Linux guest cannot be replayed, so it checks its own memory: its program goes round its working set, compares
/// every page with what it last wrote there, writes it anew, and counts what it found wrong. Its heartbeats on the
/// console carry the count, and what it complains of stands there too.
public final class LinuxGuestVerifier implements GuestVerifier {
    private static final String METHOD = "every page checked by the guest itself";
    private static final long PROGRESS_MS = 60_000;
    private static final int BEATS = 2;

    private long beats;

    @Override
    public void awaitProgress(DrillCluster cluster, VmStatus earlier) {
        GuestConsole console = console(cluster, earlier);
        long before = beats;
        beats = console.await(b -> b.iterations() > 0 && b.number() >= before + BEATS, PROGRESS_MS).number();
    }

    @Override
    public Result verify(DrillCluster cluster, VmStatus stopped) {
        String vm = stopped.spec().name();
        GuestConsole.Beat last = console(cluster, stopped).latest()
                .orElseThrow(() -> TomboloException.error(DeployError.GUEST_STANDS_STILL, "the guest has said nothing")
                        .fact("vm", vm).fact("console", cluster.console(vm, stopped.ownerHost()))
                        .next("repeat with --keep and read the console").build());
        Optional<String> complaint = cluster.hosts().stream()
                .map(h -> new GuestConsole(cluster.console(vm, h)).complaint()).filter(c -> !c.isEmpty()).findFirst();
        boolean sound = last.errors() == 0 && complaint.isEmpty() && last.iterations() > 0;
        long errors = Math.max(last.errors(), complaint.isPresent() ? 1 : 0);
        return new Result(sound, METHOD, last.bytes(), errors, complaint.orElse(""));
    }

    @Override
    public Frames verifyRegion(DrillCluster cluster) {
        return RegionCheck.run(cluster.region());
    }

    private static GuestConsole console(DrillCluster cluster, VmStatus vm) {
        return new GuestConsole(cluster.console(vm.spec().name(), vm.ownerHost()));
    }
}
