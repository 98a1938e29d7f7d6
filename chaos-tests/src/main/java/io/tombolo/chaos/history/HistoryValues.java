package io.tombolo.chaos.history;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the value of an event may be made of, so that EDN and JSON can both hold it: null, Boolean, Long, Double
/// (finite), String, List of these, Map from String to these. Integer, Short and Byte are taken as Long, Float as
/// Double.
public final class HistoryValues {
    /// Deeper lists and maps are refused.
    public static final int MAX_DEPTH = 64;

    private HistoryValues() {
    }

    /// A deep immutable copy in the types above; maps keep their order.
    ///
    /// @throws IllegalArgumentException for anything else, or too deep
    public static Object immutable(Object value) {
        return immutable(value, 0);
    }

    private static Object immutable(Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("value is nested deeper than " + MAX_DEPTH);
        }
        return switch (value) {
            case null -> null;
            case Boolean b -> b;
            case Long n -> n;
            case String s -> s;
            case Integer n -> n.longValue();
            case Short n -> n.longValue();
            case Byte n -> n.longValue();
            case Double d -> finite(d);
            case Float d -> finite(d.doubleValue());
            case List<?> list -> copy(list, depth);
            case Map<?, ?> map -> copy(map, depth);
            default -> throw new IllegalArgumentException(
                    "a history cannot hold a " + value.getClass().getName() + ": " + value);
        };
    }

    private static Double finite(double d) {
        if (!Double.isFinite(d)) {
            throw new IllegalArgumentException("a history cannot hold " + d);
        }
        return d;
    }

    private static List<Object> copy(List<?> list, int depth) {
        List<Object> copy = new ArrayList<>(list.size());
        for (Object element : list) {
            copy.add(immutable(element, depth + 1));
        }
        return Collections.unmodifiableList(copy);
    }

    private static Map<String, Object> copy(Map<?, ?> map, int depth) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (!(requireNonNull(key, "key is null") instanceof String name)) {
                throw new IllegalArgumentException("keys of maps are strings, not " + key.getClass().getName());
            }
            copy.put(name, immutable(value, depth + 1));
        });
        return Collections.unmodifiableMap(copy);
    }
}
