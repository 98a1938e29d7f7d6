package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generators;
import java.util.List;
import java.util.Optional;

/// A client of guests whose calls name a key first: finds the guest that the key lives in, asks it, and says what
/// became of a call that was not answered. For one thread.
abstract class KeyedClient implements Client {
    private final Homes homes;
    private final GuestCalls calls;

    /// @param thread decides which host is asked first
    KeyedClient(ClusterUnderTest cluster, Homes homes, int thread) {
        this.homes = requireNonNull(homes, "homes is null");
        this.calls = new GuestCalls(cluster, thread % cluster.hosts().size());
    }

    /// The guest of the key.
    @FunctionalInterface
    interface Guest {
        GuestCalls.Answer ask(GuestOp op, List<Long> args);
    }

    /// The call, asked of its guest.
    abstract GuestCalls.Answer ask(Guest guest, Call call, long key, Object argument);

    /// What became of a call that was answered.
    abstract Completion answered(GuestCalls.Answer answer, Call call, long key, boolean read);

    @Override
    public final Completion invoke(long process, Call call) {
        List<?> pair = (List<?>) call.value();
        long key = (Long) pair.getFirst();
        Optional<GuestVms.Guest> home = homes.of(key);
        if (home.isEmpty()) {
            return Completion.fail(call.value(), Generators.KEY_GONE);
        }
        boolean read = call.f().equals("read");
        GuestCalls.Answer answer = ask((op, args) -> calls.call(home.get(), process, op, args), call, key, pair.get(1));
        return answer.reply() == null
                ? answer.none(call, read, home.get())
                : answered(answer, call, key, read);
    }
}
