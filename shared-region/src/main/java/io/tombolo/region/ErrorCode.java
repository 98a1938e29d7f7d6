package io.tombolo.region;

/// A stable name for one kind of failure. Every module has an enum of its own; the name, with its module's prefix,
/// never changes once it has been released, because scripts match on it.
public interface ErrorCode {
    /// The code as a person and a script see it, for example `REGION_TRUNCATED`. Unique over all modules.
    String name();

    /// Process exit status when this error ends a command; see docs/errors.md. Never 0.
    int exitStatus();
}
