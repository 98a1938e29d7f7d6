package io.tombolo.deploy.cli;

/// A command that another module brings, found by [java.util.ServiceLoader]. The module depends on this one, not the
/// other way round.
public interface CommandProvider {
    /// A new object with picocli's annotations.
    Object command();
}
