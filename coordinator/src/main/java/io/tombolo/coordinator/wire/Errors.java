package io.tombolo.coordinator.wire;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/// Exceptions to [Reply.ErrorReply] and back.
public final class Errors {
    /// Longer texts are cut: an error must always fit its frame.
    private static final int MAX_TEXT_CHARS = 2_000;

    private Errors() {
    }

    /// The error as it travels. Codes of [TomboloException] and [RemoteException] are kept; anything else becomes
    /// `RPC_HANDLER_FAILED` with the exception's class and message.
    public static Reply.ErrorReply toReply(Throwable failure) {
        return switch (unwrap(failure)) {
            case TomboloException e -> new Reply.ErrorReply(e.code().name(), cut(e.what()),
                    e.facts().entrySet().stream().map(f -> new Reply.Fact(cut(f.getKey()), cut(f.getValue()))).toList(),
                    cut(e.next()), e.code().exitStatus());
            case RemoteException e -> e.error();
            case Throwable e -> new Reply.ErrorReply(CoordinatorError.RPC_HANDLER_FAILED.name(),
                    "the request failed in an unexpected way",
                    List.of(new Reply.Fact("exception", cut(e.getClass().getName())),
                            new Reply.Fact("message", cut(String.valueOf(e.getMessage())))),
                    "see the log of the process that answered", CoordinatorError.RPC_HANDLER_FAILED.exitStatus());
        };
    }

    /// The exception behind the wrappers that futures and executors put around it.
    public static Throwable unwrap(Throwable failure) {
        Throwable inner = failure;
        while ((inner instanceof CompletionException || inner instanceof ExecutionException)
                && inner.getCause() != null) {
            inner = inner.getCause();
        }
        return inner;
    }

    /// The stable code of a failure, of this process or of another; `""` when it has none.
    public static String codeOf(Throwable failure) {
        return switch (unwrap(failure)) {
            case TomboloException e -> e.code().name();
            case RemoteException e -> e.code();
            case Throwable _ -> "";
        };
    }

    private static String cut(String text) {
        return text.length() <= MAX_TEXT_CHARS ? text : text.substring(0, MAX_TEXT_CHARS) + "…";
    }
}
