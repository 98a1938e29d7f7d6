package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.ErrorCode;
import io.tombolo.region.TomboloException;
import java.util.stream.Collectors;

/// An error that another process answered with. It keeps the code of the other side, which may be of a module or a
/// version that this process does not have.
public final class RemoteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Reply.ErrorReply error;
    private final String peer;

    public RemoteException(String peer, Reply.ErrorReply error) {
        super(requireNonNull(error, "error is null").code() + " from " + peer + ": " + error.what()
                + error.facts().stream().map(f -> " " + f.key() + "=" + f.value()).collect(Collectors.joining()));
        this.peer = requireNonNull(peer, "peer is null");
        this.error = error;
    }

    /// Stable name of the error, for example `VM_UNKNOWN`.
    public String code() {
        return error.code();
    }

    public Reply.ErrorReply error() {
        return error;
    }

    public String peer() {
        return peer;
    }

    /// The same error as this project's one exception for people, with code, facts, next step and exit status kept and
    /// the answering peer as one more fact.
    public TomboloException toTombolo() {
        TomboloException.Builder builder = TomboloException.error(new RemoteCode(error.code(), error.exitStatus()),
                error.what());
        error.facts().forEach(f -> builder.fact(f.key(), f.value()));
        return builder.fact("peer", peer).next(error.next()).cause(this).build();
    }

    /// A code as it came over the wire.
    private record RemoteCode(String name, int exitStatus) implements ErrorCode {
    }
}
