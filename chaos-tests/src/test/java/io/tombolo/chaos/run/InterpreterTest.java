package io.tombolo.chaos.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generators;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.Journal;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import io.tombolo.chaos.workload.Client;
import io.tombolo.chaos.workload.Completion;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterpreterTest {
    private static final Client NO_NEMESIS = (_, call) -> Completion.info(call.value(), null);

    private static History run(Path directory, int clients, Client client, Client nemesis,
            io.tombolo.chaos.generator.Generator generator) {
        long zero = System.nanoTime();
        try (Journal journal = new Journal(directory.resolve("history.jsonl"), () -> System.nanoTime() - zero)) {
            new Interpreter(clients, _ -> client, nemesis, journal, () -> System.nanoTime() - zero).run(generator);
            return journal.history();
        }
    }

    @Test
    void aThreadGoesOnAsANewProcessAfterAnUnknownOperationAndOnlyThen(@TempDir Path directory) {
        Client client = (_, call) -> switch (((Long) call.value()).intValue() % 3) {
            case 0 -> Completion.ok(call.value());
            case 1 -> Completion.fail(call.value(), "no");
            default -> Completion.info(call.value(), "who knows");
        };
        History history = run(directory, 2, client, NO_NEMESIS,
                Generators.clients(Generators.limit(30, Generators.calls(n -> new Call("op", n)))));
        assertThat(history.operations()).hasSize(30);
        for (Operation operation : history.operations()) {
            boolean unknown = operation.outcome() == OpType.INFO;
            assertThat(history.operations().stream()
                    .filter(o -> o.process() == operation.process() && o.invocation().index() > operation.invocation()
                            .index()))
                    .as("later operations of the process of %s", operation).satisfies(later -> {
                        if (unknown) {
                            assertThat(later).isEmpty();
                        }
                    });
        }
        assertThat(history.operations().stream().map(Operation::process).distinct().count()).isBetween(10L, 12L);
    }

    @Test
    void whatAClientThrowsIsUnknown(@TempDir Path directory) {
        Client client = (_, _) -> {
            throw new IllegalStateException("torn");
        };
        History history = run(directory, 1, client, NO_NEMESIS,
                Generators.clients(Generators.once(new Call("op", 1L))));
        assertThat(history.operations().getFirst().outcome()).isEqualTo(OpType.INFO);
        assertThat(history.operations().getFirst().completion().error()).contains("torn");
    }

    @Test
    void anInvocationIsJournalledBeforeItIsDispatched(@TempDir Path directory) {
        Path file = directory.resolve("history.jsonl");
        Client client = (_, call) -> {
            try {
                boolean there = java.nio.file.Files.readString(file).contains("\"value\":" + call.value());
                return there ? Completion.ok(call.value()) : Completion.fail(call.value(), "not yet written");
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        };
        History history = run(directory, 2, client, NO_NEMESIS,
                Generators.clients(Generators.limit(20, Generators.calls(n -> new Call("op", 1000 + n)))));
        assertThat(history.operations()).hasSize(20).allMatch(Operation::isOk);
    }

    @Test
    void faultsAreEventsOfTheNemesisAndNoOperations(@TempDir Path directory) {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        Client nemesis = (process, call) -> {
            seen.add(process + call.f());
            return Completion.info("done", null);
        };
        History history = run(directory, 1, (_, call) -> Completion.ok(call.value()), nemesis,
                Generators.phases(Generators.nemesis(Generators.once(new Call("start-kill", "x"))),
                        Generators.clients(Generators.once(new Call("op", 1L)))));
        assertThat(seen).containsExactly(HistoryEvent.NEMESIS + "start-kill");
        assertThat(history.operations()).hasSize(1);
        assertThat(history.events().stream().filter(HistoryEvent::isNemesis).map(HistoryEvent::value)
                .toList()).isEqualTo(List.of("x", "done"));
    }
}
