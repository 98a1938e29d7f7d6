package io.tombolo.chaos.history;

import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Extensible Data Notation as in github.com/edn-format/edn, and what Clojure prints beyond it. Forms become null,
/// Boolean, Long, Double, String, [Keyword], [Symbol], List (vector or list), [EdnSet] and Map. A tag, or the name of
/// a record, is dropped and what it stands before remains. Strict: everything else is refused with its line.
final class EdnReader {
    /// A keyword without its colon, `ns/name` if it has a namespace.
    record Keyword(String name) {
    }

    /// A symbol: a word without quotes.
    record Symbol(String name) {
    }

    /// The elements in the order of the file.
    record EdnSet(List<Object> elements) {
    }

    /// What stands where a form was expected: the end of the file or a closing bracket.
    private record Close(int bracket) {
    }

    /// No form: the end was there instead.
    enum Nothing {
        /// The one value.
        NOTHING
    }

    private static final Pattern INTEGER = Pattern.compile("[+-]?(0|[1-9][0-9]*)N?");
    private static final Pattern FLOAT = Pattern.compile("[+-]?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?M?");
    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}.*+!\\-_?$%&=<>|:#'/]+");

    private final CharSource in;

    EdnReader(CharSource in) {
        this.in = in;
    }

    /// Skips white space, comments and commas; the next character or [CharSource#END].
    int skip() {
        for (int c = in.peek();; c = in.peek()) {
            if (c == ';') {
                while (c != '\n' && c != CharSource.END) {
                    c = in.next();
                }
            } else if (c == ',' || c == '\uFEFF' || Character.isWhitespace(c)) {
                in.next();
            } else {
                return c;
            }
        }
    }

    /// The next form, or [Nothing] when what comes next is that closing bracket (taken), or [CharSource#END].
    ///
    /// @throws TomboloException also for another bracket, and for the end where a bracket is expected
    Object readUntil(int close) {
        Object form = readOrClose(0);
        if (!(form instanceof Close end)) {
            return form;
        }
        if (end.bracket() == close) {
            return Nothing.NOTHING;
        }
        throw misplaced(end, close).build();
    }

    private Object read(int depth) {
        Object form = readOrClose(depth);
        if (form instanceof Close end) {
            throw misplaced(end, CharSource.END).build();
        }
        return form;
    }

    private TomboloException.Builder misplaced(Close found, int expected) {
        String what = found.bracket() == CharSource.END
                ? "it ends in the middle of a form"
                : "a closing " + (char) found.bracket() + " in the wrong place";
        TomboloException.Builder error = in.malformed(in.line(), what);
        return expected == CharSource.END ? error : error.fact("expected", (char) expected);
    }

    private Object readOrClose(int depth) {
        if (depth > in.limits().maxDepth()) {
            throw in.tooLarge("forms are nested deeper than a reader takes", in.limits().maxDepth());
        }
        int c = skip();
        while (c == '#') {
            in.next();
            if (in.peek() != '_') {
                return dispatch(depth);
            }
            in.next();
            read(depth + 1);
            c = skip();
        }
        return switch (c) {
            case CharSource.END -> new Close(c);
            case ')', ']', '}' -> new Close(in.next());
            case '(', '[', '{' -> collection(in.next(), depth);
            case '"' -> string();
            case '\\' -> character();
            default -> atom();
        };
    }

    private Object collection(int bracket, int depth) {
        return switch (bracket) {
            case '(' -> elements(')', depth);
            case '[' -> elements(']', depth);
            default -> map(depth);
        };
    }

    private List<Object> elements(int close, int depth) {
        long line = in.line();
        List<Object> elements = new ArrayList<>();
        while (true) {
            Object form = readOrClose(depth + 1);
            if (!(form instanceof Close end)) {
                elements.add(form);
            } else if (end.bracket() == close) {
                return elements;
            } else {
                throw misplaced(end, close).fact("openedInLine", line).build();
            }
        }
    }

    private Map<Object, Object> map(int depth) {
        long line = in.line();
        List<Object> forms = elements('}', depth);
        if (forms.size() % 2 != 0) {
            throw in.malformed(line, "a map with a key and no value").build();
        }
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < forms.size(); i += 2) {
            if (map.containsKey(forms.get(i))) {
                throw in.malformed(line, "a map has a key twice").fact("key", text(forms.get(i))).build();
            }
            map.put(forms.get(i), forms.get(i + 1));
        }
        return map;
    }

    private Object dispatch(int depth) {
        long line = in.line();
        int c = in.peek();
        if (c == '{') {
            in.next();
            return new EdnSet(elements('}', depth));
        }
        if (c == '"') {
            return string();
        }
        if (c == CharSource.END || !Character.isLetter(c)) {
            throw in.malformed(line, c == CharSource.END ? "it ends after #" : "#" + (char) c + " is not EDN").build();
        }
        // A tag or the name of a record's class; a record's fields follow at once.
        token();
        return read(depth + 1);
    }

    private String string() {
        long line = in.line();
        in.next();
        StringBuilder text = new StringBuilder();
        for (int c = in.next(); c != '"'; c = in.next()) {
            if (c == CharSource.END) {
                throw in.malformed(line, "a string without an end").build();
            }
            text.append((char) (c == '\\' ? escape() : c));
        }
        return text.toString();
    }

    private int escape() {
        int c = in.next();
        return switch (c) {
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'n' -> '\n';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case '\\', '"' -> c;
            case 'u' -> {
                String digits = "" + hexDigit() + hexDigit() + hexDigit() + hexDigit();
                yield Integer.parseInt(digits, 16);
            }
            default -> throw in.malformed(in.line(), "an escape that EDN does not have").build();
        };
    }

    private char hexDigit() {
        int c = in.next();
        if (Character.digit(c, 16) < 0 || c > 'f') {
            throw in.malformed(in.line(), "\\u without four hexadecimal digits").build();
        }
        return (char) c;
    }

    private String character() {
        long line = in.line();
        in.next();
        int first = in.next();
        if (first == CharSource.END) {
            throw in.malformed(line, "it ends after a backslash").build();
        }
        String name = (char) first + (Character.isLetterOrDigit(first) ? token() : "");
        return switch (name) {
            case "newline" -> "\n";
            case "return" -> "\r";
            case "space" -> " ";
            case "tab" -> "\t";
            case "formfeed" -> "\f";
            case "backspace" -> "\b";
            default -> {
                if (name.length() == 1) {
                    yield name;
                }
                if (name.matches("u[0-9a-fA-F]{4}")) {
                    yield Character.toString((char) Integer.parseInt(name.substring(1), 16));
                }
                throw in.malformed(line, "not a character").fact("found", "\\" + name).build();
            }
        };
    }

    private Object atom() {
        long line = in.line();
        String token = token();
        if (token.isEmpty()) {
            throw in.malformed(line, "a character that begins no form").fact("found", (char) in.peek()).build();
        }
        return switch (token) {
            case "nil" -> null;
            case "true" -> true;
            case "false" -> false;
            default -> isNumber(token) ? number(token, line) : word(token, line);
        };
    }

    private static boolean isNumber(String token) {
        char first = token.charAt(0);
        return isDigit(first) || (token.length() > 1 && (first == '-' || first == '+') && isDigit(token.charAt(1)));
    }

    private Object word(String token, long line) {
        boolean keyword = token.charAt(0) == ':';
        String name = keyword ? token.substring(1) : token;
        if (name.isEmpty() || name.startsWith(":") || name.endsWith(":") || !NAME.matcher(name).matches()) {
            throw in.malformed(line, "not a word of EDN").fact("found", token).build();
        }
        return keyword ? new Keyword(name) : new Symbol(name);
    }

    private Object number(String token, long line) {
        if (INTEGER.matcher(token).matches()) {
            String digits = token.endsWith("N") ? token.substring(0, token.length() - 1) : token;
            try {
                return Long.valueOf(digits.startsWith("+") ? digits.substring(1) : digits);
            } catch (NumberFormatException e) {
                throw in.malformed(line, "an integer of more than 64 bits").fact("found", token).cause(e).build();
            }
        }
        if (FLOAT.matcher(token).matches()) {
            double value = Double.parseDouble(token.endsWith("M") ? token.substring(0, token.length() - 1) : token);
            if (Double.isFinite(value)) {
                return value;
            }
        }
        throw in.malformed(line, "not a number that a history can hold").fact("found", token).build();
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private String token() {
        StringBuilder text = new StringBuilder();
        for (int c = in.peek(); c != CharSource.END && !isDelimiter(c); c = in.peek()) {
            text.append((char) in.next());
        }
        return text.toString();
    }

    private static boolean isDelimiter(int c) {
        return Character.isWhitespace(c) || ",;()[]{}\"\\^@`~".indexOf(c) >= 0;
    }

    private static String text(Object form) {
        return switch (form) {
            case Keyword k -> ":" + k.name();
            case null -> "nil";
            default -> form.toString();
        };
    }
}
