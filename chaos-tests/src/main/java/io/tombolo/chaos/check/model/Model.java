package io.tombolo.chaos.check.model;

import java.util.Collection;
import java.util.function.Predicate;

/// A sequential object: a state, and what each call does to it. Deterministic; states are immutable and have equality.
/// A model keeps nothing between calls that changes an answer, and one object of it belongs to one search.
public interface Model {
    /// What [#step] answers when the call is not possible in that state, or not with that answer.
    Object ILLEGAL = new Object();
    /// What [#wants] and [#gives] answer for no state in particular.
    Object ANY = new Object();

    /// As on the command line.
    String name();

    /// The state before the first call; null is a state as any other.
    Object initial();

    /// What this model looks at in an operation, so that calls with equal effects are equal. The default takes answers of
    /// reads only, and of others that they were refused (`false`). An operation of unknown outcome that is no read
    /// counts as one that had its effect: the search may leave it out.
    ///
    /// @param ok whether the operation is OK, not of unknown outcome
    default Call call(String f, Object input, Object output, boolean ok) {
        boolean read = f.equals("read");
        Object answer = read || Boolean.FALSE.equals(output) ? output : null;
        return new Call(f, read ? null : input, ok ? answer : null, ok || !read);
    }

    /// The state after the call, or [#ILLEGAL].
    Object step(Object state, Call call);

    /// Whether the call leaves every state as it is in which it is possible. The search places such calls as soon as
    /// they fit, and drops those whose answer is not known.
    boolean readsOnly(Call call);

    /// Says what is wrong with a call, if this model cannot have it; null if nothing is.
    String complaint(Call call);

    /// The one state in which the call is possible, or [#ANY] if there may be several.
    default Object wants(Call call) {
        return ANY;
    }

    /// The state after the call whatever it was before, or [#ANY] if that depends.
    default Object gives(Call call) {
        return ANY;
    }

    /// Which calls that change the state can make a difference to all these? One that cannot may be taken out of any
    /// order of these in which every other is possible, and they stay possible. The default: all.
    default Predicate<Call> relevant(Collection<Call> calls) {
        return call -> true;
    }

    /// States from which, whatever follows, none of those of these calls that only read will be possible. The default:
    /// none.
    default Predicate<Object> hopeless(Collection<Call> calls) {
        return state -> false;
    }

    /// About how many bytes a state takes, to bound a search.
    default long stateBytes() {
        return 64;
    }
}
