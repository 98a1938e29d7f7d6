package io.tombolo.chaos.check.model;

import java.util.Collection;
import java.util.function.Predicate;

/// A sequential object: a state, and what each call does to it. Deterministic; states are immutable and have equality.
/// A model keeps nothing between calls that changes an answer, and one object of it belongs to one search.
public interface Model {
    /// What [#step] answers when the call is not possible in that state, or not with that answer.
    Object ILLEGAL = new Object();

    /// As on the command line.
    String name();

    /// The state before the first call; null is a state as any other.
    Object initial();

    /// What this model looks at in an operation, so that calls with equal effects are equal. The default takes answers of
    /// reads only, and of others that they were refused (`false`).
    ///
    /// @param ok whether the answer is known
    default Call call(String f, Object input, Object output, boolean ok) {
        boolean read = f.equals("read");
        Object answer = read || Boolean.FALSE.equals(output) ? output : null;
        return new Call(f, read ? null : input, ok ? answer : null, ok);
    }

    /// The state after the call, or [#ILLEGAL].
    Object step(Object state, Call call);

    /// Whether the call leaves every state as it is in which it is possible. The search places such calls as soon as
    /// they fit, and drops those whose answer is not known.
    boolean readsOnly(Call call);

    /// Says what is wrong with a call, if this model cannot have it; null if nothing is.
    String complaint(Call call);

    /// Of the calls whose answer is not known: which of them can make a difference to all these, so that a history
    /// without it could be judged otherwise? The others are dropped. The default drops none.
    default Predicate<Call> relevant(Collection<Call> calls) {
        return call -> true;
    }
}
