package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.linear.LinearizabilityChecker;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// `kv`: registers that are read, written and compared-and-set by several clients at once, a few values each so that
/// compares often succeed. Every register lives in one VM, the one that was current when it was first used, and ends
/// with it; the registers change all the time, so that the history of each stays short.
final class KvWorkload implements Workload {
    private static final int GROUPS = 3;
    private static final int PER_GROUP = 2;
    private static final long CALLS_PER_KEY = 100;
    private static final int UNKNOWNS_PER_KEY = 6;
    private static final int VALUES = 5;

    private final ClusterUnderTest cluster;
    private final long seed;
    private final Homes homes;

    KvWorkload(ClusterUnderTest cluster, GuestVms vms, long seed) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.seed = seed;
        this.homes = new Homes(vms, false);
    }

    @Override
    public int clients() {
        return GROUPS * PER_GROUP;
    }

    @Override
    public Set<String> kinds() {
        return Set.of("read", "write", "cas");
    }

    @Override
    public Generator operations() {
        return Generators.perKey(IntStream.range(0, clients()).boxed().toList(), PER_GROUP, CALLS_PER_KEY,
                UNKNOWNS_PER_KEY, key -> Generators.calls(seed ^ key << 20, KvWorkload::call));
    }

    private static Call call(SplittableRandom random) {
        return switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> new Call("read", null);
            case 4, 5, 6 -> new Call("write", random.nextLong(VALUES));
            default -> new Call("cas", List.of(random.nextLong(VALUES), random.nextLong(VALUES)));
        };
    }

    @Override
    public Generator lastLooks() {
        return Workload.readsOf(homes);
    }

    @Override
    public Client client(int thread) {
        return new KeyedClient(cluster, homes, thread) {
            @Override
            GuestCalls.Answer ask(Guest guest, Call call, long key, Object argument) {
                return switch (call.f()) {
                    case "read" -> guest.ask(GuestOp.KV_READ, List.of(key));
                    case "write" -> guest.ask(GuestOp.KV_WRITE, List.of(key, (Long) argument));
                    case "cas" -> {
                        List<?> change = (List<?>) argument;
                        yield guest.ask(GuestOp.KV_CAS, List.of(key, (Long) change.getFirst(), (Long) change.get(1)));
                    }
                    default -> throw new IllegalArgumentException("not an operation of kv: " + call);
                };
            }

            @Override
            Completion answered(GuestCalls.Answer answer, Call call, long key, boolean read) {
                return switch (answer.reply().status()) {
                    case OK -> Completion
                            .ok(read ? Arrays.asList(key, answer.reply().values().getFirst()) : call.value());
                    case FAILED -> read
                            ? Completion.ok(Arrays.asList(key, null))
                            : Completion.fail(call.value(), call.f().equals("cas") ? "mismatch" : "refused");
                    case INVALID -> answer.invalid(call);
                };
            }
        };
    }

    @Override
    public List<Checker> checkers() {
        return List.of(new LinearizabilityChecker(() -> new RegisterModel(null, true), true));
    }
}
