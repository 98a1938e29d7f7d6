package io.tombolo.chaos.history;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// JSON lines: one object per event with the keys `index`, `time`, `type`, `process` (a number or `"nemesis"`), `f`,
/// `value` and `error`. `index`, `time`, `value` and `error` may be missing; other keys are ignored.
final class JsonHistory {
    private static final ObjectMapper WRITER = new ObjectMapper();
    private static final String NEMESIS = "nemesis";

    private final CharSource in;
    private final ObjectMapper mapper;
    private long previous = -1;

    private JsonHistory(CharSource in) {
        this.in = in;
        this.mapper = mapper(in.limits());
    }

    private static ObjectMapper mapper(HistoryLimits limits) {
        StreamReadConstraints constraints = StreamReadConstraints.builder().maxNestingDepth(limits.maxDepth())
                .maxStringLength(limits.maxEventChars()).maxNumberLength(64).build();
        JsonFactory factory = JsonFactory.builder().streamReadConstraints(constraints)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
        return JsonMapper.builder(factory).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    }

    static void read(CharSource in, Consumer<HistoryEvent> sink) {
        JsonHistory history = new JsonHistory(in);
        long line = in.line();
        for (String text = in.readLine(); text != null; text = in.readLine()) {
            if (!text.isBlank()) {
                sink.accept(history.event(text, line));
            }
            line = in.line();
        }
    }

    private HistoryEvent event(String text, long line) {
        Map<?, ?> map;
        try {
            map = mapper.readValue(text, Map.class);
        } catch (JsonProcessingException e) {
            throw in.malformed(line, "not a JSON object: " + e.getOriginalMessage()).cause(e).build();
        }
        if (map == null) {
            throw in.malformed(line, "not a JSON object: null").build();
        }
        OpType type = map.get("type") instanceof String word ? OpType.ofWord(word) : null;
        if (type == null) {
            throw in.malformed(line, "the type of an event").fact("found", map.get("type"))
                    .fact("expected", "\"invoke\", \"ok\", \"fail\" or \"info\"").build();
        }
        if (!(map.get("f") instanceof String f)) {
            throw in.malformed(line, "an f that is not a string").fact("found", map.get("f")).build();
        }
        long process = NEMESIS.equals(map.get("process"))
                ? HistoryEvent.NEMESIS
                : number(map, "process", line);
        long index = map.containsKey("index") ? number(map, "index", line) : previous + 1;
        previous = index;
        long timeNs = map.get("time") == null ? 0 : number(map, "time", line);
        Object error = map.get("error");
        try {
            return new HistoryEvent(index, timeNs, type, process, f, map.get("value"),
                    error == null ? null : error instanceof String s ? s : EdnHistory.text(error));
        } catch (IllegalArgumentException e) {
            throw in.malformed(line, e.getMessage()).cause(e).build();
        }
    }

    private long number(Map<?, ?> map, String key, long line) {
        return switch (map.get(key)) {
            case Integer n when n >= 0 -> n;
            case Long n when n >= 0 -> n;
            case BigInteger n -> throw in.malformed(line, key + " has more than 64 bits").fact("found", n).build();
            case null -> throw in.malformed(line, "an event without " + key).build();
            default -> throw in.malformed(line, key + " is not a number from 0").fact("found", map.get(key)).build();
        };
    }

    /// One line without its end.
    static String line(HistoryEvent event) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("index", event.index());
        map.put("time", event.timeNs());
        map.put("type", event.type().word());
        map.put("process", event.isNemesis() ? NEMESIS : event.process());
        map.put("f", event.f());
        map.put("value", event.value());
        if (event.error() != null) {
            map.put("error", event.error());
        }
        try {
            return WRITER.writeValueAsString(map);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot be written as JSON: " + event, e);
        }
    }
}
