package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.BankProgram;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.ConstantTotal;
import io.tombolo.chaos.check.linear.LinearizabilityChecker;
import io.tombolo.chaos.check.model.BankModel;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// `bank`: clients move money between the accounts of a guest and look at all of them at once. The total never changes,
/// nothing is below zero, and transfers and looks are linearizable. A key of the history is one guest: after some
/// hundred operations, or some of which nobody knows what became of them, it is given up for another one.
final class BankWorkload implements Workload {
    private static final int CLIENTS = 4;
    private static final long CALLS_PER_GUEST = 1_500;
    private static final int UNKNOWNS_PER_GUEST = 8;
    private static final long MOST_MOVED = 2 * BankProgram.INITIAL_BALANCE;
    private static final long TOTAL = BankProgram.CLIENT_ACCOUNTS * BankProgram.INITIAL_BALANCE;

    private final ClusterUnderTest cluster;
    private final long seed;
    private final Homes homes;

    BankWorkload(ClusterUnderTest cluster, GuestVms vms, long seed) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.seed = seed;
        this.homes = new Homes(vms, true);
    }

    @Override
    public int clients() {
        return CLIENTS;
    }

    @Override
    public Set<String> kinds() {
        return Set.of("read", "transfer");
    }

    @Override
    public Generator operations() {
        return Generators.perKey(IntStream.range(0, CLIENTS).boxed().toList(), CLIENTS, CALLS_PER_GUEST,
                UNKNOWNS_PER_GUEST, key -> Generators.calls(seed ^ key << 20, BankWorkload::call));
    }

    private static Call call(SplittableRandom random) {
        if (random.nextInt(10) < 3) {
            return new Call("read", null);
        }
        long from = random.nextInt(BankProgram.CLIENT_ACCOUNTS);
        long to = (from + 1 + random.nextInt(BankProgram.CLIENT_ACCOUNTS - 1)) % BankProgram.CLIENT_ACCOUNTS;
        Map<String, Object> what = new LinkedHashMap<>();
        what.put("from", from);
        what.put("to", to);
        what.put("amount", random.nextLong(1, MOST_MOVED));
        return new Call("transfer", what);
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
                if (call.f().equals("read")) {
                    return guest.ask(GuestOp.BANK_READ_ALL, List.of());
                }
                Map<?, ?> what = (Map<?, ?>) argument;
                return guest.ask(GuestOp.BANK_TRANSFER,
                        List.of((Long) what.get("from"), (Long) what.get("to"), (Long) what.get("amount")));
            }

            @Override
            Completion answered(GuestCalls.Answer answer, Call call, long key, boolean read) {
                return switch (answer.reply().status()) {
                    case OK -> Completion.ok(read ? List.of(key, balances(answer.reply().values())) : call.value());
                    case FAILED -> Completion.fail(call.value(), "insufficient");
                    case INVALID -> answer.invalid(call);
                };
            }
        };
    }

    private static Map<String, Long> balances(List<Long> values) {
        Map<String, Long> balances = new LinkedHashMap<>();
        for (int i = 0; i < values.size(); i++) {
            balances.put(Integer.toString(i), values.get(i));
        }
        return balances;
    }

    @Override
    public List<Checker> checkers() {
        Map<String, Long> first = new TreeMap<>();
        for (int i = 0; i < BankProgram.CLIENT_ACCOUNTS; i++) {
            first.put(Integer.toString(i), BankProgram.INITIAL_BALANCE);
        }
        return List.of(new ConstantTotal(TOTAL, false, true),
                new LinearizabilityChecker(() -> new BankModel(first, false), true));
    }
}
