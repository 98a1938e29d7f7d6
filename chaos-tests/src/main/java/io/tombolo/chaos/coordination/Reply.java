package io.tombolo.chaos.coordination;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// The answer to a request; what does not apply is null or empty.
///
/// @param path of a created node
/// @param data of a node that was read
/// @param stat of a node that was read or set
/// @param children names, sorted
/// @param parts answers to the operations of a transaction, also of one that failed
/// @param session of an opened session, else 0
public record Reply(Code code, String path, String data, Znode.Stat stat, List<String> children, List<Reply> parts,
        long session) {
    public Reply {
        requireNonNull(code, "code is null");
        children = List.copyOf(children);
        parts = List.copyOf(parts);
    }

    static Reply of(Code code) {
        return new Reply(code, null, null, null, List.of(), List.of(), 0);
    }

    static Reply created(String path) {
        return new Reply(Code.OK, path, null, null, List.of(), List.of(), 0);
    }

    static Reply node(String data, Znode.Stat stat) {
        return new Reply(Code.OK, null, data, stat, List.of(), List.of(), 0);
    }

    static Reply children(List<String> children) {
        return new Reply(Code.OK, null, null, null, children, List.of(), 0);
    }

    static Reply multi(Code code, List<Reply> parts) {
        return new Reply(code, null, null, null, List.of(), parts, 0);
    }

    static Reply opened(long session) {
        return new Reply(Code.OK, null, null, null, List.of(), List.of(), session);
    }
}
