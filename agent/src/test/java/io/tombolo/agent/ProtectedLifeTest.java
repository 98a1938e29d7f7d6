package io.tombolo.agent;

import static io.tombolo.agent.ProtectedHosts.await;
import static io.tombolo.agent.ProtectedHosts.join;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.ProtectedHosts.Host;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.hypervisor.GuestError;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whatever can happen to a protected VM, in random order, under clients: hand-offs, deaths and takeovers, lapses of
/// the right, pauses, the end and the beginning of its protection. Nothing that was acknowledged is lost, no reply
/// leaves before its commit, and the guest finds its memory as it left it.
final class ProtectedLifeTest {
    private static final long LIFE_NS = TimeUnit.SECONDS.toNanos(5);
    private static final int HOSTS = 16;

    @TempDir
    Path directory;

    private volatile Host at;
    private Host other;
    private int born;

    @ParameterizedTest
    @CsvSource({"kv, 1, 500", "kv, 2, 1000"})
    void losesNothingThatWasAcknowledged(String program, int vcpus, int checkpointUs) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        VmSpec spec = ProtectedHosts.spec(program, 4L << 20, vcpus, "zipf").withProtection(checkpointUs);
        List<String> done = new ArrayList<>();
        try (ProtectedHosts hosts = new ProtectedHosts(directory, spec, 160L << 20)) {
            at = host(hosts);
            other = host(hosts);
            join(at.open().create());
            try (ProtectedClients clients = new ProtectedClients(hosts.slot, 3, this::call)) {
                long since = System.nanoTime();
                while (System.nanoTime() - since < LIFE_NS && clients.wrong.isEmpty()) {
                    long acknowledged = clients.acknowledgements.get();
                    await("acknowledgements after " + done, () -> clients.acknowledgements.get() > acknowledged + 5
                            || !clients.wrong.isEmpty());
                    done.add(event(hosts, clients, random.nextInt(6), checkpointUs));
                }
                clients.finish();
                clients.check(this::call);
                assertThat(at.vm.facts().errors()).as("failed self-checks after %s", done).isZero();
                System.out.println(done + " acknowledged " + clients.acknowledgements + " unknown " + clients.unknown);
            } finally {
                at.close();
                other.close();
            }
            assertThat(hosts.findings()).isEmpty();
        }
    }

    private Host host(ProtectedHosts hosts) {
        return hosts.host("host-" + ++born);
    }

    private String event(ProtectedHosts hosts, ProtectedClients clients, int kind, int checkpointUs) {
        return switch (kind) {
            case 0, 1 -> {
                Host from = at;
                Host to = other;
                hosts.handOver(from, to);
                await("adopted", to.vm::hosted);
                await("gone", () -> from.vm == null);
                at = to;
                other = from;
                yield "hand-off";
            }
            case 2 -> {
                if (born == HOSTS) {
                    yield "nothing";
                }
                Host dead = at;
                dead.die();
                dead.close();
                other.takeOverAsOrdered();
                at = other;
                other = host(hosts);
                assertThat(at.protection().isProtected()).isTrue();
                yield "takeover";
            }
            case 3 -> {
                join(at.vm.pause());
                join(at.vm.resume());
                yield "pause";
            }
            case 4 -> {
                clients.lives.incrementAndGet();
                join(at.vm.protect(0));
                join(at.vm.protect(checkpointUs));
                clients.lives.incrementAndGet();
                yield "unprotected for a moment";
            }
            default -> {
                join(at.vm.rightLapsed("a test says so"));
                join(at.vm.renew());
                join(at.vm.runRenewed());
                yield "lapse";
            }
        };
    }

    private CompletableFuture<GuestReply> call(GuestCall call) {
        HostedVm vm = at.vm;
        return vm == null
                ? CompletableFuture.failedFuture(TomboloException.error(GuestError.NOT_OWNER, "gone").build())
                : vm.call(call);
    }
}
