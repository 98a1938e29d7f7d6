package io.tombolo.chaos.history;

import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;

/// The characters of a history file with the number of the line, and the two limits on lengths. Not thread safe.
final class CharSource {
    static final int END = -1;

    private final String name;
    private final Reader reader;
    private final HistoryLimits limits;
    private final char[] buffer = new char[1 << 14];
    private int position;
    private int filled;
    private long line = 1;
    private long total;
    private long eventStart;

    /// @param name the file's, for errors
    CharSource(String name, Reader reader, HistoryLimits limits) {
        this.name = name;
        this.reader = reader;
        this.limits = limits;
    }

    HistoryLimits limits() {
        return limits;
    }

    /// Of the character that comes next; the first line is 1.
    long line() {
        return line;
    }

    /// The length of an event counts from here.
    void startEvent() {
        eventStart = total;
    }

    int peek() {
        return position < filled || fill() ? buffer[position] : END;
    }

    /// Up to that many of the characters that come next; they stay where they are.
    String lookAhead(int chars) {
        peek();
        return new String(buffer, position, Math.min(chars, filled - position));
    }

    int next() {
        int c = peek();
        if (c == END) {
            return END;
        }
        position++;
        total++;
        if (c == '\n') {
            line++;
        }
        if (total > limits.maxChars()) {
            throw tooLarge("the file is longer than a reader takes", limits.maxChars());
        }
        if (total - eventStart > limits.maxEventChars()) {
            throw tooLarge("an event is longer than a reader takes", limits.maxEventChars());
        }
        return c;
    }

    /// The rest of the line without its end, or null at the end of the file.
    String readLine() {
        if (peek() == END) {
            return null;
        }
        startEvent();
        StringBuilder text = new StringBuilder();
        for (int c = next(); c != '\n' && c != END; c = next()) {
            text.append((char) c);
        }
        int length = text.length();
        return length > 0 && text.charAt(length - 1) == '\r' ? text.substring(0, length - 1) : text.toString();
    }

    private boolean fill() {
        try {
            position = 0;
            filled = Math.max(0, reader.read(buffer));
            return filled > 0;
        } catch (CharacterCodingException e) {
            throw malformed(line, "bytes that are not UTF-8").cause(e).build();
        } catch (IOException e) {
            throw Histories.unreadable(name, e);
        }
    }

    TomboloException.Builder malformed(long atLine, String what) {
        return TomboloException.error(ChaosError.HISTORY_MALFORMED, "not a history: " + what).fact("file", name)
                .fact("line", atLine).next("correct the line; docs/checkers.md has the two forms of histories");
    }

    TomboloException tooLarge(String what, long limit) {
        return TomboloException.error(ChaosError.HISTORY_TOO_LARGE, what).fact("file", name).fact("line", line)
                .fact("limit", limit).next("give it less").build();
    }
}
