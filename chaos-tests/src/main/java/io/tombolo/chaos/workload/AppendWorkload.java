package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.LostOrDuplicate;
import io.tombolo.chaos.check.linear.LinearizabilityChecker;
import io.tombolo.chaos.check.model.AppendModel;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// `append`: short lists to which several clients append elements, each element once, and which they read: an append
/// that was acknowledged and lost, executed twice, or put at another place shows in every later read. Appending is
/// the one operation of a guest that does something else when it is executed twice.
final class AppendWorkload implements Workload {
    private static final int GROUPS = 3;
    private static final int PER_GROUP = 2;
    private static final int ELEMENTS = 15;
    private static final int ELEMENT_BITS = 4;

    private final ClusterUnderTest cluster;
    private final long seed;
    private final Homes homes;

    AppendWorkload(ClusterUnderTest cluster, GuestVms vms, long seed) {
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
        return Set.of("read", "append");
    }

    /// Elements 1, 2, … of a list in this order, reads between them, and a read at the end.
    @Override
    public Generator operations() {
        return Generators.perKey(IntStream.range(0, clients()).boxed().toList(), PER_GROUP, Long.MAX_VALUE,
                Integer.MAX_VALUE, key -> Generators.concat(
                        Generators.mix(seed ^ key << 20, List.of(
                                Generators.limit(ELEMENTS, Generators.calls(n -> new Call("append", n + 1))),
                                Generators.calls(_ -> new Call("read", null)))),
                        Generators.once(new Call("read", null))));
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
                return call.f().equals("read")
                        ? guest.ask(GuestOp.KV_READ, List.of(key))
                        : guest.ask(GuestOp.KV_APPEND, List.of(key, (Long) argument));
            }

            @Override
            Completion answered(GuestCalls.Answer answer, Call call, long key, boolean read) {
                return switch (answer.reply().status()) {
                    case OK -> Completion
                            .ok(read ? List.of(key, elements(answer.reply().values().getFirst())) : call.value());
                    case FAILED -> read
                            ? Completion.ok(Arrays.asList(key, List.of()))
                            : Completion.fail(call.value(), "refused");
                    case INVALID -> answer.invalid(call);
                };
            }
        };
    }

    /// The list in a value, as the guest packs it.
    private static List<Long> elements(long packed) {
        List<Long> elements = new ArrayList<>();
        for (int shift = Long.SIZE - ELEMENT_BITS; shift >= 0; shift -= ELEMENT_BITS) {
            long element = packed >>> shift & (1 << ELEMENT_BITS) - 1;
            if (element != 0) {
                elements.add(element);
            }
        }
        return elements;
    }

    @Override
    public List<Checker> checkers() {
        return List.of(new LostOrDuplicate(true), new LinearizabilityChecker(AppendModel::new, true));
    }
}
