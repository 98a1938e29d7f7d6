package io.tombolo.chaos.sim;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.function.BiConsumer;

/// Messages between the processes of a world: each takes its own time, so that they overtake each other; some are lost,
/// some come twice, and hosts that are cut off hear nothing. A caller that hears nothing is told so after its time-out.
final class Network {
    private static final long MIN_NS = 20_000;
    private static final long MAX_NS = 400_000;

    /// The peer did not answer, or cannot be reached.
    static final class Unreachable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Unreachable(String what) {
            super(what, null, false, false);
        }
    }

    private final World world;
    private final Rng rng;
    private final Scheduler.Loop wire;

    Network(World world, Rng rng, SimProcess physics) {
        this.world = world;
        this.rng = rng;
        this.wire = world.scheduler().new Loop(physics, "network");
    }

    Rng rng() {
        return rng;
    }

    /// How long a message takes.
    static long delay(Rng rng) {
        return rng.oneIn(20) ? rng.between(MAX_NS, 20 * MAX_NS) : rng.between(MIN_NS, MAX_NS);
    }

    /// Something that happens at the other end of a wire, if the message gets there.
    void sendOnce(Runnable arrival) {
        if (!rng.perMille(world.lossPerMille())) {
            wire.schedule(arrival, delay(rng));
        }
    }

    /// The same for a message that may come twice.
    void send(Runnable arrival) {
        sendOnce(arrival);
        if (rng.perMille(world.duplicatePerMille())) {
            wire.schedule(arrival, delay(rng));
        }
    }

    /// A request to the agent of a host, whichever incarnation that is now; `done` is called once, on the caller's
    /// `loop`.
    void call(SimProcess from, Scheduler.Loop loop, String host, AgentRequest request, long timeoutNs,
            BiConsumer<Reply, Throwable> done) {
        boolean[] answered = new boolean[1];
        BiConsumer<Reply, Throwable> once = (reply, failure) -> {
            if (!answered[0] && from.alive()) {
                answered[0] = true;
                done.accept(reply, failure);
            }
        };
        world.trace(() -> from + " -> " + host + ": " + request);
        loop.schedule(() -> once.accept(null, new Unreachable("no answer in time")), timeoutNs);
        send(() -> {
            SimHost to = world.machines().live(host);
            if (world.troubles().cut(from, to)) {
                return;
            }
            if (to == null) {
                back(from, loop, null, once, null, new Unreachable("nobody listens on " + host));
                return;
            }
            world.scheduler().spawn(to, to + "/" + request.getClass().getSimpleName(),
                    () -> serve(to, from, loop, request, once));
        });
    }

    private void serve(SimHost to, SimProcess from, Scheduler.Loop loop, AgentRequest request,
            BiConsumer<Reply, Throwable> once) {
        try {
            var _ = to.serve(request).whenComplete((reply, failure) -> back(from, loop, to, once, reply,
                    failure == null ? null : known(to, request, failure)));
        } catch (TomboloException e) {
            back(from, loop, to, once, null, e);
        }
    }

    /// A failure that the product does not mean is a defect, in whoever's answer it hides.
    private Throwable known(SimHost at, AgentRequest request, Throwable failure) {
        Throwable cause = failure instanceof java.util.concurrent.CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
        if (!(cause instanceof TomboloException) && !(cause instanceof Unreachable)
                && !(cause instanceof Scheduler.Gone) && !(cause instanceof Error)) {
            world.violation("X: " + at + " answers " + request + " with " + cause, cause);
        }
        return cause;
    }

    private void back(SimProcess from, Scheduler.Loop loop, SimHost sender, BiConsumer<Reply, Throwable> once,
            Reply reply, Throwable failure) {
        if (sender != null && !sender.alive()) {
            return;
        }
        send(() -> {
            if (from.alive() && (sender == null || !world.troubles().cut(from, sender))) {
                world.trace(() -> from + " <- " + (failure == null ? String.valueOf(reply) : failure.toString()));
                loop.schedule(() -> once.accept(reply, failure), 0);
            }
        });
    }
}
