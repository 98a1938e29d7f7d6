package io.tombolo.chaos.history;

import io.tombolo.chaos.history.EdnReader.EdnSet;
import io.tombolo.chaos.history.EdnReader.Keyword;
import io.tombolo.chaos.history.EdnReader.Symbol;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// Jepsen's `history.edn`: one map per event, or one vector or list of them.
final class EdnHistory {
    private static final Keyword INDEX = new Keyword("index");
    private static final Keyword TIME = new Keyword("time");
    private static final Keyword TYPE = new Keyword("type");
    private static final Keyword PROCESS = new Keyword("process");
    private static final Keyword F = new Keyword("f");
    private static final Keyword VALUE = new Keyword("value");
    private static final Keyword ERROR = new Keyword("error");
    private static final Keyword NEMESIS = new Keyword("nemesis");
    private static final Pattern WORD = Pattern.compile("[A-Za-z*!_?<>=-][A-Za-z0-9*+!_?<>=.-]*(/[A-Za-z0-9*!_?-]+)?");

    private final CharSource in;
    private final EdnReader reader;
    private long previous = -1;

    private EdnHistory(CharSource in) {
        this.in = in;
        this.reader = new EdnReader(in);
    }

    static void read(CharSource in, Consumer<HistoryEvent> sink) {
        new EdnHistory(in).read(sink);
    }

    /// The one form that is there, as a value.
    static Object value(CharSource in) {
        EdnHistory history = new EdnHistory(in);
        Object form = history.reader.readUntil(CharSource.END);
        if (form instanceof EdnReader.Nothing
                || !(history.reader.readUntil(CharSource.END) instanceof EdnReader.Nothing)) {
            throw in.malformed(in.line(), "not one value").build();
        }
        return history.value(form, in.line());
    }

    private void read(Consumer<HistoryEvent> sink) {
        int opened = reader.skip();
        int close = opened == '[' ? ']' : opened == '(' ? ')' : CharSource.END;
        if (close != CharSource.END) {
            in.next();
        }
        while (true) {
            reader.skip();
            in.startEvent();
            long line = in.line();
            Object form = reader.readUntil(close);
            if (form instanceof EdnReader.Nothing) {
                break;
            }
            sink.accept(event(form, line));
        }
        if (reader.skip() != CharSource.END) {
            throw in.malformed(in.line(), "something after the end of the history").build();
        }
    }

    private HistoryEvent event(Object form, long line) {
        if (!(form instanceof Map<?, ?> map)) {
            throw in.malformed(line, "an event that is not a map").build();
        }
        Object word = map.get(TYPE);
        OpType type = word instanceof Keyword k ? OpType.ofWord(k.name()) : null;
        if (type == null) {
            throw in.malformed(line, "the type of an event").fact("found", text(word))
                    .fact("expected", ":invoke, :ok, :fail or :info").build();
        }
        String f = switch (map.get(F)) {
            case Keyword k -> k.name();
            case Symbol s -> s.name();
            case String s -> s;
            // Nemeses of old histories have none.
            case null -> throw in.malformed(line, "an event without :f").build();
            default -> throw in.malformed(line, "an :f that is not a word").fact("found", text(map.get(F))).build();
        };
        long index = map.containsKey(INDEX) ? number(map, INDEX, line) : previous + 1;
        previous = index;
        Object error = map.get(ERROR);
        return new HistoryEvent(index, map.get(TIME) == null ? 0 : number(map, TIME, line), type, process(map, line),
                f, value(map.get(VALUE), line),
                error == null ? null : error instanceof String s ? s : text(value(error, line)));
    }

    private long number(Map<?, ?> map, Keyword key, long line) {
        if (map.get(key) instanceof Long n && (n >= 0 || key.equals(TIME))) {
            return n;
        }
        throw in.malformed(line, ":" + key.name() + " is not a number from 0").fact("found", text(map.get(key)))
                .build();
    }

    private long process(Map<?, ?> map, long line) {
        Object process = map.get(PROCESS);
        if (NEMESIS.equals(process)) {
            return HistoryEvent.NEMESIS;
        }
        if (process instanceof Long n && n >= 0) {
            return n;
        }
        throw in.malformed(line, "the process of an event").fact("found", text(process))
                .fact("expected", "a number from 0, or :nemesis").build();
    }

    private Object value(Object form, long line) {
        return switch (form) {
            case Keyword k -> ":" + k.name();
            case Symbol s -> s.name();
            case EdnSet set -> set.elements().stream().map(e -> value(e, line)).sorted(Comparator.comparing(
                    EdnHistory::text)).toList();
            case List<?> list -> {
                List<Object> values = new ArrayList<>(list.size());
                list.forEach(e -> values.add(value(e, line)));
                yield values;
            }
            case Map<?, ?> map -> {
                Map<String, Object> values = new LinkedHashMap<>();
                map.forEach((k, v) -> {
                    if (values.put(key(k, line), value(v, line)) != null) {
                        throw in.malformed(line, "two keys of a map are the same word").fact("key", text(k)).build();
                    }
                });
                yield values;
            }
            case null -> null;
            default -> form;
        };
    }

    private String key(Object key, long line) {
        return switch (key) {
            case Keyword k -> k.name();
            case Symbol s -> s.name();
            case String s -> s;
            case Long n -> n.toString();
            case null -> "nil";
            default -> text(value(key, line));
        };
    }

    /// One line of Jepsen's form, without its end.
    static String line(HistoryEvent event) {
        StringBuilder out = new StringBuilder(120).append("{:index ").append(event.index()).append(", :time ")
                .append(event.timeNs()).append(", :type :").append(event.type().word()).append(", :process ")
                .append(event.isNemesis() ? ":nemesis" : Long.toString(event.process())).append(", :f ");
        append(out, WORD.matcher(event.f()).matches() ? ":" + event.f() : event.f());
        out.append(", :value ");
        append(out, event.value());
        if (event.error() != null) {
            out.append(", :error ");
            quote(out, event.error());
        }
        return out.append('}').toString();
    }

    /// A value, or a form, as EDN.
    static String text(Object value) {
        StringBuilder out = new StringBuilder();
        append(out, value);
        return out.toString();
    }

    private static void append(StringBuilder out, Object value) {
        switch (value) {
            case null -> out.append("nil");
            case Keyword k -> out.append(':').append(k.name());
            case Symbol s -> out.append(s.name());
            case EdnSet set -> append(out, set.elements());
            case String s when s.startsWith(":") && WORD.matcher(s.substring(1)).matches() -> out.append(s);
            case String s -> quote(out, s);
            case List<?> list -> {
                out.append('[');
                for (int i = 0; i < list.size(); i++) {
                    append(i == 0 ? out : out.append(' '), list.get(i));
                }
                out.append(']');
            }
            case Map<?, ?> map -> {
                out.append('{');
                String separator = "";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    separator = ", ";
                    appendKey(out, entry.getKey());
                    append(out.append(' '), entry.getValue());
                }
                out.append('}');
            }
            default -> out.append(value);
        }
    }

    private static void appendKey(StringBuilder out, Object key) {
        if (!(key instanceof String name)) {
            append(out, key);
        } else if (WORD.matcher(name).matches()) {
            out.append(':').append(name);
        } else if (name.matches("0|-?[1-9][0-9]{0,17}")) {
            out.append(name);
        } else {
            quote(out, name);
        }
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    /// Whether a file that begins with these characters is EDN and not JSON lines; both may begin with a brace.
    static boolean looksLikeEdn(String start) {
        String text = start.strip();
        return !text.startsWith("{") || !text.substring(1).strip().startsWith("\"");
    }
}
