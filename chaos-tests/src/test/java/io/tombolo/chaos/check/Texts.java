package io.tombolo.chaos.check;

import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryLimits;

/// Short histories in a form that can be read at a glance.
public final class Texts {
    private Texts() {
    }

    /// One event per line or semicolon: `PROCESS TYPE F VALUE`, with an EDN value; no value is nil.
    public static History history(String text) {
        StringBuilder edn = new StringBuilder();
        for (String line : text.split("[;\n]", -1)) {
            if (!line.isBlank()) {
                String[] words = line.strip().split("\\s+", 4);
                edn.append("{:process ").append(words[0]).append(" :type :").append(words[1]).append(" :f :")
                        .append(words[2]).append(" :value ").append(words.length == 4 ? words[3] : "nil").append("}\n");
            }
        }
        return Histories.parse("test", edn.toString(), HistoryLimits.DEFAULT);
    }
}
