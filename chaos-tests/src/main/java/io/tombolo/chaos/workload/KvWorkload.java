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
import io.tombolo.coordinator.wire.GuestStatus;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/// `kv`: registers that are read, written and compared-and-set by several clients at once, a few values each so that
/// compares often succeed. Every register lives in one VM, the one that was current when it was first used, and ends with
/// it; the registers change all the time, so that the history of each stays short.
public final class KvWorkload implements Workload {
    private static final int GROUPS = 3;
    private static final int PER_GROUP = 2;
    private static final long CALLS_PER_KEY = 100;
    private static final int UNKNOWNS_PER_KEY = 6;
    private static final int VALUES = 5;
    private static final long PACE_NS = 4_000_000;
    private static final long MIGRATION_PAUSE_NS = 400_000_000;
    private static final long WAIT_FOR_VM_NS = 200_000_000;

    private final ClusterUnderTest cluster;
    private final GuestVms vms;
    private final long seed;
    private final Map<Long, GuestVms.Guest> homes = new ConcurrentHashMap<>();

    /// @param seed of the operations
    public KvWorkload(ClusterUnderTest cluster, GuestVms vms, long seed) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.seed = seed;
    }

    @Override
    public String name() {
        return "kv";
    }

    @Override
    public List<Checker> checkers() {
        return List.of(new LinearizabilityChecker(() -> new RegisterModel(null, true), true));
    }

    @Override
    public int clients() {
        return GROUPS * PER_GROUP;
    }

    @Override
    public long paceNs() {
        return PACE_NS;
    }

    @Override
    public long migrationPauseNs() {
        return MIGRATION_PAUSE_NS;
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
        return context -> lastReads().next(context);
    }

    /// Made when it is first asked, since it depends on what has happened.
    private Generator lastReads() {
        List<Long> keys = homes.entrySet().stream().filter(e -> e.getValue().lostNs() == 0).map(Map.Entry::getKey)
                .sorted().toList();
        return Generators.limit(keys.size(),
                Generators.calls(n -> new Call("read", Arrays.asList(keys.get((int) n % keys.size()), null))));
    }

    @Override
    public Client client(int thread) {
        GuestCalls calls = new GuestCalls(cluster, thread % cluster.hosts().size());
        return (process, call) -> invoke(calls, process, call);
    }

    private Completion invoke(GuestCalls calls, long process, Call call) {
        List<?> pair = (List<?>) call.value();
        long key = (Long) pair.getFirst();
        Optional<GuestVms.Guest> home = home(key);
        if (home.isEmpty() || home.get().lostNs() != 0) {
            return Completion.fail(call.value(), Generators.KEY_GONE);
        }
        boolean read = call.f().equals("read");
        GuestCalls.Answer answer = switch (call.f()) {
            case "read" -> calls.call(home.get(), process, GuestOp.KV_READ, List.of(key));
            case "write" -> calls.call(home.get(), process, GuestOp.KV_WRITE, List.of(key, (Long) pair.get(1)));
            case "cas" -> {
                List<?> change = (List<?>) pair.get(1);
                yield calls.call(home.get(), process, GuestOp.KV_CAS,
                        List.of(key, (Long) change.getFirst(), (Long) change.get(1)));
            }
            default -> throw new IllegalArgumentException("not an operation of kv: " + call);
        };
        if (answer.reply() == null) {
            // A read changes nothing, so it certainly had no effect.
            return answer.executed() && !read
                    ? Completion.info(call.value(), answer.error())
                    : Completion.fail(call.value(), home.get().lostNs() != 0 ? Generators.KEY_GONE : answer.error());
        }
        GuestStatus status = answer.reply().status();
        return switch (status) {
            case OK -> Completion.ok(read ? Arrays.asList(key, answer.reply().values().getFirst()) : call.value());
            case FAILED -> read
                    ? Completion.ok(Arrays.asList(key, null))
                    : Completion.fail(call.value(), call.f().equals("cas") ? "mismatch" : "refused");
            case INVALID -> Completion.info(call.value(), "the guest calls it invalid: " + answer.reply());
        };
    }

    /// The VM of a key; empty while there is none at all.
    private Optional<GuestVms.Guest> home(long key) {
        GuestVms.Guest known = homes.get(key);
        if (known != null) {
            return Optional.of(known);
        }
        Optional<GuestVms.Guest> now = vms.current();
        if (now.isEmpty()) {
            LockSupport.parkNanos(this, WAIT_FOR_VM_NS);
            now = vms.current();
        }
        return now.map(guest -> homes.computeIfAbsent(key, _ -> guest));
    }
}
