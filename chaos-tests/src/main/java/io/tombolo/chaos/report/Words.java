package io.tombolo.chaos.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.tombolo.chaos.history.Histories;
import io.tombolo.deploy.report.Units;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Facts in words: what is JSON in the files of a result folder, for a person.
final class Words {
    private Words() {
    }

    /// `{"role":"agent","target":"owner"}`: `role agent, target owner`. A list is its elements with commas, a list or
    /// an object in another one is in parentheses, nothing is "".
    static String text(JsonNode value) {
        return text("", value, false);
    }

    /// One fact with its name: `slowestToBound`, 0.0863…: `slowest to bound 0.0863`.
    static String fact(String key, JsonNode value) {
        boolean time = key.endsWith("Ns") && value.isIntegralNumber();
        String text = text(key, value, false);
        return words(time ? key.substring(0, key.length() - 2) : key)
                + (text.isEmpty() ? ": none" : (value.isContainerNode() ? ": " : " ") + text);
    }

    /// `acknowledgedAppends`: `acknowledged appends`.
    static String words(String key) {
        return key.replaceAll("(?<=[a-z0-9])([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }

    /// A value of a history, as EDN and not longer than that.
    static String shortened(Object value, int chars) {
        return cut(Histories.text(value), chars);
    }

    static String cut(String text, int chars) {
        return text.length() <= chars ? text : text.substring(0, chars - 1) + "…";
    }

    private static String text(String key, JsonNode value, boolean inner) {
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (value.isContainerNode()) {
            List<String> parts = new ArrayList<>();
            if (value.isObject()) {
                value.properties().forEach(entry -> parts.add(fact(entry.getKey(), entry.getValue())));
            } else {
                value.forEach(element -> parts.add(text("", element, true)));
            }
            String all = String.join(", ", parts);
            return inner && parts.size() > 1 ? "(" + all + ")" : all;
        }
        if (key.endsWith("Ns") && value.isIntegralNumber()) {
            return Units.nanos(value.longValue());
        }
        return value.isFloatingPointNumber() ? String.format(Locale.ROOT, "%.3g", value.doubleValue()) : value.asText();
    }
}
