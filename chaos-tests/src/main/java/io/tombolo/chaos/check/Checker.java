package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;

/// Judges a history, and what else it was given when it was made. Every checker's comment lists what it does not check.
/// Stateless, so that several may run at once.
public interface Checker {
    /// Its name in results, one word in lower case with hyphens; checkers of one run have different names.
    String name();

    /// Never says VALID when it could not look.
    ///
    /// @throws io.tombolo.region.TomboloException for a history that this checker cannot read, such as an operation
    ///                                            that its model does not have
    CheckResult check(History history, CheckContext context);
}
