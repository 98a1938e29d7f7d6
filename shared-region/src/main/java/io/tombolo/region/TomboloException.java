package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The one unchecked exception that crosses a module boundary on purpose: a stable code, what happened, the facts as
/// `key=value`, and what to do next.
///
/// The message has always the same shape, so that it can be read by a person and matched by a script:
///
///     REGION_TRUNCATED: the file is shorter than its superblock says: file=/dev/shm/r length=4096 expected=8192. Next:
///     …
///
/// Facts keep the order in which they were given. Immutable, so it may be handed between threads.
public final class TomboloException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final Pattern LINE_BREAK = Pattern.compile("\\s*\\R\\s*");

    private final transient ErrorCode code;
    private final String what;
    private final LinkedHashMap<String, String> facts;
    private final String next;

    private TomboloException(Builder builder) {
        super(message(builder.code, builder.what, builder.facts, builder.next), builder.cause);
        this.code = builder.code;
        this.what = builder.what;
        this.facts = new LinkedHashMap<>(builder.facts);
        this.next = builder.next;
    }

    /// Starts an error: `what` is one clause without a full stop.
    public static Builder error(ErrorCode code, String what) {
        return new Builder(code, what);
    }

    public ErrorCode code() {
        return code;
    }

    /// The clause that says what happened, without code, facts and next step.
    public String what() {
        return what;
    }

    public Map<String, String> facts() {
        return Collections.unmodifiableMap(facts);
    }

    /// What the reader should do now; empty when there is nothing to do.
    public String next() {
        return next;
    }

    private static String message(ErrorCode code, String what, Map<String, String> facts, String next) {
        StringBuilder text = new StringBuilder(code.name()).append(": ").append(what);
        if (!facts.isEmpty()) {
            text.append(": ").append(facts.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue())
                    .collect(Collectors.joining(" ")));
        }
        if (!next.isEmpty()) {
            text.append(". Next: ").append(next);
        }
        // One line, whatever the facts quote: scripts read line by line.
        return LINE_BREAK.matcher(text).replaceAll(" ");
    }

    /// Collects the parts of one error. Not thread safe.
    public static final class Builder {
        private final ErrorCode code;
        private final String what;
        private final LinkedHashMap<String, String> facts = new LinkedHashMap<>();
        private String next = "";
        private Throwable cause;

        private Builder(ErrorCode code, String what) {
            this.code = requireNonNull(code, "code is null");
            this.what = requireNonNull(what, "what is null");
        }

        public Builder fact(String key, Object value) {
            facts.put(key, String.valueOf(value));
            return this;
        }

        public Builder next(String step) {
            this.next = requireNonNull(step, "step is null");
            return this;
        }

        public Builder cause(Throwable throwable) {
            this.cause = throwable;
            return this;
        }

        public TomboloException build() {
            return new TomboloException(this);
        }
    }
}
