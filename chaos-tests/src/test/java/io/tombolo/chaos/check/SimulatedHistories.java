package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/// Histories of registers that are linearizable because each operation really takes effect at one instant between its
/// two events, with real concurrency; unknown operations take effect before, later or never.
public final class SimulatedHistories {
    /// What to make.
    ///
    /// @param operations  in all
    /// @param keys        registers
    /// @param concurrency processes of each key that may have an operation open
    /// @param values      distinct values written
    /// @param unknown     share of operations whose outcome the client does not get to know
    /// @param withCas     whether a third of the operations is a cas
    public record Shape(int operations, int keys, int concurrency, int values, double unknown, boolean withCas) {
    }

    private static final class Client {
        private long process;
        private String f;
        private Object input;
        private Object output;
        private boolean open;
        private boolean applied;
        private boolean happened;
    }

    private final Shape shape;
    private final Random random;
    private final boolean independent;
    private final List<HistoryEvent> events = new ArrayList<>();
    private final Map<Integer, Object> registers = new HashMap<>();
    private final Map<Integer, List<Client>> ghosts = new HashMap<>();
    private long nextProcess;

    private SimulatedHistories(Shape shape, long seed, boolean independent) {
        this.shape = shape;
        this.random = new Random(seed);
        this.independent = independent;
    }

    /// Values are pairs of key and value.
    public static History independent(Shape shape, long seed) {
        return new SimulatedHistories(shape, seed, true).make();
    }

    /// One register.
    public static History single(Shape shape, long seed) {
        return new SimulatedHistories(shape, seed, false).make();
    }

    private History make() {
        List<List<Client>> clients = new ArrayList<>();
        for (int k = 0; k < shape.keys(); k++) {
            List<Client> ofKey = new ArrayList<>();
            for (int c = 0; c < shape.concurrency(); c++) {
                Client client = new Client();
                client.process = nextProcess++;
                ofKey.add(client);
            }
            clients.add(ofKey);
        }
        int left = shape.operations();
        int open = 0;
        while (left > 0 || open > 0) {
            int key = random.nextInt(shape.keys());
            Client client = clients.get(key).get(random.nextInt(shape.concurrency()));
            if (!client.open) {
                if (left > 0) {
                    left--;
                    open++;
                    invoke(key, client);
                }
            } else if (!client.applied && random.nextDouble() >= shape.unknown() / 2) {
                apply(key, client);
            } else if (step(key, client)) {
                open--;
            }
            haunt(key);
        }
        return History.of(events);
    }

    private void invoke(int key, Client client) {
        int kind = random.nextInt(shape.withCas() ? 3 : 2);
        client.f = kind == 0 ? "read" : kind == 1 ? "write" : "cas";
        client.input = switch (kind) {
            case 0 -> null;
            case 1 -> value();
            default -> List.of(value(), value());
        };
        client.open = true;
        client.applied = false;
        record(OpType.INVOKE, key, client, client.input);
    }

    private Object value() {
        return (long) random.nextInt(shape.values());
    }

    private void apply(int key, Client client) {
        client.applied = true;
        client.happened = true;
        switch (client.f) {
            case "read" -> client.output = registers.get(key);
            case "write" -> registers.put(key, client.input);
            default -> {
                List<?> pair = (List<?>) client.input;
                client.happened = Objects.equals(registers.get(key), pair.getFirst());
                if (client.happened) {
                    registers.put(key, pair.getLast());
                }
            }
        }
    }

    /// Completes the operation.
    private boolean step(int key, Client client) {
        client.open = false;
        if (!client.applied || random.nextDouble() < shape.unknown() / 2) {
            if (!client.applied) {
                Client ghost = new Client();
                ghost.f = client.f;
                ghost.input = client.input;
                ghosts.computeIfAbsent(key, _ -> new ArrayList<>()).add(ghost);
            }
            record(OpType.INFO, key, client, client.input);
            client.process = nextProcess++;
        } else if (client.happened) {
            record(OpType.OK, key, client, client.f.equals("read") ? client.output : client.input);
        } else {
            record(OpType.FAIL, key, client, client.input);
        }
        return true;
    }

    /// Operations that nobody waits for take effect later, or never.
    private void haunt(int key) {
        List<Client> waiting = ghosts.getOrDefault(key, List.of());
        if (!waiting.isEmpty() && random.nextInt(20) == 0) {
            Client ghost = waiting.remove(random.nextInt(waiting.size()));
            if (random.nextBoolean()) {
                apply(key, ghost);
            }
        }
    }

    private void record(OpType type, int key, Client client, Object value) {
        List<Object> pair = new ArrayList<>();
        pair.add((long) key);
        pair.add(value);
        events.add(new HistoryEvent(events.size(), events.size() * 1_000L, type, client.process, client.f,
                independent ? pair : value, null));
    }
}
