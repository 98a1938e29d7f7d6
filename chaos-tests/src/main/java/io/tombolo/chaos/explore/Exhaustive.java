package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/// The exhaustive mode of the simulator: every interleaving of a small configuration of a protocol, on the shipped
/// cores.
///
/// How much memory an exploration takes is known before, from those that were completed; what does not fit is refused
/// and not begun.
public final class Exhaustive {
    /// An exploration that has met as many worlds is given up.
    public static final long MAX_WORLDS = 40_000_000;

    /// What an exploration takes beside its worlds: dictionaries, garbage.
    private static final long BASE_BYTES = 256L << 20;
    /// Of the heap.
    private static final double USABLE = 0.9;

    private final int faults;
    private final int threads;
    private final long heapBytes;
    private final long usableBytes;
    private final Consumer<String> progress;
    private final Consumer<Exploration> done;

    /// The protocols that can be explored.
    public enum Protocol {
        HAND_OFF(430_000, 14_850_000), LEASE(200_000, 1_610_000), PAGE_MOVE(4_110_000, 7_800_000), TAKEOVER(
                150_000, 2_480_000);

        /// How many worlds the largest configuration has.
        private final long withOneFault;
        private final long withTwo;

        Protocol(long withOneFault, long withTwo) {
            this.withOneFault = withOneFault;
            this.withTwo = withTwo;
        }

        /// As on the command line: `hand-off`.
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        private boolean isKnown(int faults) {
            return faults <= 2;
        }

        private long neededBytes(int faults) {
            return BASE_BYTES + (faults <= 1 ? withOneFault : withTwo) * Explorer.BYTES_PER_WORLD;
        }
    }

    /// @param faults that may happen in one run
    /// @param threads explorations at the same time, at most; fewer if the heap is too small for as many
    /// @param heapBytes how large the heap may become
    /// @param progress told now and then how far it is, on any thread
    /// @param done told of each exploration as it ends, one at a time, on any thread
    public Exhaustive(int faults, int threads, long heapBytes, Consumer<String> progress,
            Consumer<Exploration> done) {
        this.faults = faults;
        this.threads = threads;
        this.heapBytes = heapBytes;
        this.usableBytes = (long) (heapBytes * USABLE);
        this.progress = requireNonNull(progress, "progress is null");
        this.done = requireNonNull(done, "done is null");
    }

    /// Explores the protocols one after the other, each in all its configurations.
    ///
    /// @throws TomboloException EXPLORATION_HEAP_TOO_SMALL, before anything is explored if the heap that is needed is
    ///         known
    public List<Exploration> run(List<Protocol> protocols) {
        protocols.forEach(this::requireRoom);
        return protocols.stream().flatMap(protocol -> run(protocol).stream()).toList();
    }

    private void requireRoom(Protocol protocol) {
        if (usableBytes < protocol.neededBytes(faults)) {
            throw tooSmall(protocol, protocol.neededBytes(faults)).build();
        }
    }

    private TomboloException.Builder tooSmall(Protocol protocol, long neededBytes) {
        long neededMb = (long) (neededBytes / USABLE) >> 20;
        return TomboloException.error(ChaosError.EXPLORATION_HEAP_TOO_SMALL, "the heap is too small to explore")
                .fact("protocol", protocol.label()).fact("faults", faults)
                .fact("heapMb", heapBytes >> 20).fact("neededMb", neededMb)
                .next("set TOMBOLO_JAVA_OPTS=-Xmx" + (neededMb / 1024 + 1) + "g, or take fewer --faults");
    }

    private List<Exploration> run(Protocol protocol) {
        List<Model<?>> models = models(protocol);
        int most = Math.min(threads, models.size());
        // How much is needed beyond what was ever explored nobody knows: then each has all there is.
        int atATime = protocol.isKnown(faults)
                ? Math.clamp(usableBytes / protocol.neededBytes(faults), 1, most)
                : 1;
        long room = (usableBytes / atATime - BASE_BYTES) / Explorer.BYTES_PER_WORLD;
        try (ExecutorService workers = Executors.newFixedThreadPool(atATime)) {
            return models.stream()
                    .map(model -> CompletableFuture.supplyAsync(() -> run(protocol, model, room), workers)).toList()
                    .stream().map(CompletableFuture::join).toList();
        } catch (CompletionException e) {
            throw e.getCause() instanceof TomboloException known ? known : e;
        }
    }

    private List<Model<?>> models(Protocol protocol) {
        return switch (protocol) {
            case HAND_OFF -> List.of(handoff(false), handoff(true));
            case PAGE_MOVE -> List.of(new PageModel(new MoverSteps(2), faults, 2));
            case LEASE -> List.of(new LeaseModel(faults));
            // With a second write of the owner two faults have several times as many worlds.
            case TAKEOVER -> List.of(new TakeoverModel(new TakeoverLife(faults > 1 ? 1 : 2, 1), faults));
        };
    }

    private Model<?> handoff(boolean claims) {
        return new HandoffModel(new AgentSteps(), new LeaderSteps(), faults, 1, false, claims);
    }

    private Exploration run(Protocol protocol, Model<?> model, long room) {
        Exploration exploration = explore(model, Math.min(room, MAX_WORLDS), progress);
        Explorer.Result result = exploration.result();
        if (!result.complete() && result.violation().isEmpty() && room < MAX_WORLDS) {
            throw tooSmall(protocol, BASE_BYTES + 2 * room * Explorer.BYTES_PER_WORLD)
                    .fact("worlds", result.states()).build();
        }
        synchronized (done) {
            done.accept(exploration);
        }
        return exploration;
    }

    /// One configuration.
    static Exploration explore(Model<?> model, long maxWorlds, Consumer<String> progress) {
        return new Exploration(model.name(), model.bounds(), new Explorer<>(model, maxWorlds, progress).run());
    }

    /// The protocol of that name.
    ///
    /// @throws IllegalArgumentException if there is none
    public static Protocol protocol(String label) {
        return Arrays.stream(Protocol.values()).filter(protocol -> protocol.label().equals(label)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no protocol '" + label + "'"));
    }
}
