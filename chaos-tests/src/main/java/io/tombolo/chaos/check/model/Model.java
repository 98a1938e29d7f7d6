package io.tombolo.chaos.check.model;

import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/// A sequential object: a state, and what each call does to it. Deterministic; states are immutable and have equality.
/// A model keeps nothing between calls that changes an answer, and one object of it belongs to one search.
public interface Model {
    /// What [#step] answers when the call is not possible in that state, or not with that answer.
    Object ILLEGAL = Impossible.ILLEGAL;

    /// The type of [#ILLEGAL], which is no state.
    enum Impossible {
        /// The one value.
        ILLEGAL
    }

    /// Whether [#step] said that the call is not possible.
    static boolean isIllegal(Object next) {
        return next instanceof Impossible;
    }

    /// As on the command line.
    String name();

    /// The state before the first call; null is a state as any other.
    Object initial();

    /// What this model looks at in an operation, so that calls with equal effects are equal. The default takes answers
    /// of reads only, and of others that they were refused (`false`). An operation of unknown outcome that is no read
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

    /// Whether the call is possible in every state.
    default boolean always(Call call) {
        return false;
    }

    /// Whether the call is possible in every state, and the state after it does not depend on the one before.
    default boolean blind(Call call) {
        return false;
    }

    /// Which calls that change the state can make a difference to all these? One that cannot may be taken
    /// out of any order of these in which every other is possible: they stay possible. The default: all.
    default Predicate<Call> relevant(Collection<Call> calls) {
        return call -> true;
    }

    /// What a state must hold for the call to be possible; all of it or a part. A state holds what calls brought into
    /// it ([#brings]) and nobody took out ([#loses]), and what the initial state holds.
    default Collection<?> needs(Call call) {
        return List.of();
    }

    /// What the state after the call may hold that the one before did not.
    default Collection<?> brings(Call call) {
        return List.of();
    }

    /// What the state before held, or the call brought, and the state after does not hold; the most telling first.
    default Collection<?> loses(Object state, Call call, Object next) {
        return List.of();
    }

    /// A model that says the same about every order of these calls, perhaps with fewer states. The default: this one.
    default Model specialised(Collection<Call> calls) {
        return this;
    }

    /// About how many bytes a state takes, to bound a search.
    default long stateBytes() {
        return 64;
    }
}
