package io.tombolo.chaos.history;

import static java.util.Objects.requireNonNull;

import java.util.Objects;

/// An invocation and what became of it. Immutable.
///
/// @param invocation the INVOKE event
/// @param completion the OK, FAIL or INFO event; null if the history ends before, which means the same as INFO
public record Operation(HistoryEvent invocation, HistoryEvent completion) {
    public Operation {
        requireNonNull(invocation, "invocation is null");
    }

    /// OK, FAIL or INFO.
    public OpType outcome() {
        return completion == null ? OpType.INFO : completion.type();
    }

    public boolean isOk() {
        return outcome() == OpType.OK;
    }

    public long process() {
        return invocation.process();
    }

    public String f() {
        return invocation.f();
    }

    /// The arguments.
    public Object input() {
        return invocation.value();
    }

    /// What an OK operation answered; null if it is not OK.
    public Object output() {
        return isOk() ? completion.value() : null;
    }

    @Override
    public String toString() {
        String answer = isOk() && !Objects.equals(input(), output())
                ? " -> " + Histories.text(output())
                : " " + outcome().word();
        return f() + (input() == null ? "" : " " + Histories.text(input())) + answer + " (process " + process()
                + ", events " + invocation.index() + " to " + (completion == null ? "the end" : completion.index())
                + ")";
    }
}
