package io.tombolo.chaos.history;

import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/// Reads and writes history files: Jepsen's `history.edn` and JSON lines; docs/checkers.md describes both. Readers are
/// strict: what they do not understand they refuse with `HISTORY_MALFORMED` and its line, what is too much with
/// `HISTORY_TOO_LARGE`, what does not fit together with `HISTORY_INCONSISTENT`. Extra keys of events are ignored.
public final class Histories {
    private static final int LOOK_CHARS = 4096;

    private Histories() {
    }

    /// Reads either form; which one is seen by how the file begins.
    public static History read(Path file, HistoryLimits limits) {
        return read(file, limits, Histories::readAny);
    }

    /// Reads Jepsen's form.
    public static History readEdn(Path file, HistoryLimits limits) {
        return read(file, limits, EdnHistory::read);
    }

    /// Reads JSON lines.
    public static History readJsonLines(Path file, HistoryLimits limits) {
        return read(file, limits, JsonHistory::read);
    }

    /// Reads either form from a text; `name` stands for the file in errors.
    public static History parse(String name, String text, HistoryLimits limits) {
        return collect(new CharSource(name, new StringReader(text), limits),
                EdnHistory.looksLikeEdn(text) ? EdnHistory::read : JsonHistory::read);
    }

    /// One EDN value; `name` stands for the file in errors.
    public static Object parseValue(String name, String text) {
        return EdnHistory.value(new CharSource(name, new StringReader(text), HistoryLimits.DEFAULT));
    }

    /// Writes Jepsen's form, one map per line.
    public static void writeEdn(History history, Path file) {
        write(history, file, EdnHistory::line);
    }

    /// Writes JSON lines.
    public static void writeJsonLines(History history, Path file) {
        write(history, file, JsonHistory::line);
    }

    /// A value as EDN, for people.
    public static String text(Object value) {
        return EdnHistory.text(value);
    }

    private static History read(Path file, HistoryLimits limits,
            BiConsumer<CharSource, Consumer<HistoryEvent>> form) {
        try (Reader reader = new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT))) {
            return collect(new CharSource(file.toString(), reader, limits), form);
        } catch (IOException e) {
            throw unreadable(file.toString(), e);
        }
    }

    private static void readAny(CharSource in, Consumer<HistoryEvent> sink) {
        if (EdnHistory.looksLikeEdn(in.lookAhead(LOOK_CHARS))) {
            EdnHistory.read(in, sink);
        } else {
            JsonHistory.read(in, sink);
        }
    }

    private static History collect(CharSource in, BiConsumer<CharSource, Consumer<HistoryEvent>> form) {
        List<HistoryEvent> events = new ArrayList<>();
        form.accept(in, event -> {
            if (events.size() == in.limits().maxEvents()) {
                throw in.tooLarge("it has more events than a reader takes", in.limits().maxEvents());
            }
            events.add(event);
        });
        return History.of(events);
    }

    private static void write(History history, Path file, Function<HistoryEvent, String> line) {
        try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            for (HistoryEvent event : history.events()) {
                out.write(line.apply(event));
                out.write('\n');
            }
        } catch (IOException e) {
            throw notWritten(file, e);
        }
    }

    static TomboloException unreadable(String file, IOException cause) {
        return TomboloException.error(ChaosError.HISTORY_UNREADABLE, "the history cannot be read").fact("file", file)
                .fact("cause", cause).next("give a file that exists and may be read").cause(cause).build();
    }

    static TomboloException notWritten(Path file, IOException cause) {
        return TomboloException.error(ChaosError.HISTORY_NOT_WRITTEN, "the history cannot be written")
                .fact("file", file).fact("cause", cause).next("make room, or choose another folder").cause(cause)
                .build();
    }
}
