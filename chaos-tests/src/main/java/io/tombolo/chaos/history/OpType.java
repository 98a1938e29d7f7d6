package io.tombolo.chaos.history;

import java.util.Locale;

/// What an event of a history says about its operation, with Jepsen's meaning.
public enum OpType {
    /// The operation was handed to a client.
    INVOKE,
    /// It happened, once, between its invocation and now.
    OK,
    /// It certainly did not happen and never will.
    FAIL,
    /// Nobody knows: it may have happened, may happen at any later time, or never. Events of a nemesis are of this
    /// type at both ends.
    INFO;

    /// The word in files: `invoke`, `ok`, `fail`, `info`.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The type with that [#word()], or null.
    public static OpType ofWord(String word) {
        for (OpType type : values()) {
            if (type.word().equals(word)) {
                return type;
            }
        }
        return null;
    }
}
