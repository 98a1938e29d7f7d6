package io.tombolo.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
    @TempDir
    private Path folder;

    @Test
    void everyEventIsInTheFileBeforeItsCallReturns() {
        Path file = folder.resolve("journal.jsonl");
        try (Journal journal = new Journal(file, new AtomicLong()::incrementAndGet)) {
            for (int i = 0; i < 5; i++) {
                HistoryEvent event = journal.record(OpType.INVOKE, i, "read", null, null);

                assertThat(Histories.readJsonLines(file, HistoryLimits.DEFAULT).events().getLast()).isEqualTo(event);
            }
            assertThat(journal.history().operations()).hasSize(5);
        }
    }

    @Test
    void manyThreadsMakeOneHistory() throws InterruptedException {
        Path file = folder.resolve("journal.jsonl");
        try (Journal journal = new Journal(file, System::nanoTime)) {
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                long process = t;
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int i = 0; i < 200; i++) {
                        journal.record(OpType.INVOKE, process, "write", i, null);
                        journal.record(OpType.OK, process, "write", i, null);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }

            assertThat(Histories.read(file, HistoryLimits.DEFAULT).events()).hasSize(3_200)
                    .isEqualTo(journal.history().events());
        }
    }

    @Test
    void saysSoWhenItCannotBeWritten() {
        assertThatThrownBy(() -> new Journal(folder.resolve("no/such/folder"), System::nanoTime))
                .hasMessageStartingWith("HISTORY_NOT_WRITTEN");
        Journal closed = new Journal(folder.resolve("journal.jsonl"), System::nanoTime);
        closed.close();
        assertThatThrownBy(() -> closed.record(OpType.INVOKE, 0, "read", null, null))
                .hasMessageStartingWith("HISTORY_NOT_WRITTEN");
    }
}
