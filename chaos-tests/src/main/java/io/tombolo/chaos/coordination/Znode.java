package io.tombolo.chaos.coordination;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.NavigableSet;
import java.util.SortedSet;
import java.util.TreeSet;

/// One node, a value.
///
/// @param data text, null when created without
/// @param version of the data, 0 at creation
/// @param creates how many children were ever created; numbers sequential nodes
/// @param czxid transaction that created it
/// @param mzxid transaction that set its data last
/// @param pzxid transaction that created or deleted a child last
/// @param owner session of an ephemeral node, 0 of a persistent one
/// @param children names, sorted
public record Znode(String data, int version, int creates, long czxid, long mzxid, long pzxid, long owner,
        SortedSet<String> children) {
    private static final NavigableSet<String> NONE = Collections.unmodifiableNavigableSet(new TreeSet<>());

    /// What `exists` tells. `cversion` counts creations and deletions of children.
    ///
    /// @param dataLength characters
    public record Stat(long czxid, long mzxid, long pzxid, int version, int cversion, long owner, int dataLength,
            int numChildren) {
    }

    public Znode {
        requireNonNull(children, "children is null");
    }

    static Znode created(String data, long zxid, long owner) {
        return new Znode(data, 0, 0, zxid, zxid, zxid, owner, NONE);
    }

    Znode withData(String newData, long zxid) {
        return new Znode(newData, version + 1, creates, czxid, zxid, pzxid, owner, children);
    }

    Znode withChild(String name, long zxid) {
        TreeSet<String> more = new TreeSet<>(children);
        more.add(name);
        return new Znode(data, version, creates + 1, czxid, mzxid, zxid, owner,
                Collections.unmodifiableNavigableSet(more));
    }

    Znode withoutChild(String name, long zxid) {
        TreeSet<String> fewer = new TreeSet<>(children);
        fewer.remove(name);
        return new Znode(data, version, creates, czxid, mzxid, zxid, owner,
                fewer.isEmpty() ? NONE : Collections.unmodifiableNavigableSet(fewer));
    }

    /// As a client sees it.
    public Stat stat() {
        return new Stat(czxid, mzxid, pzxid, version, 2 * creates - children.size(), owner,
                data == null ? 0 : data.length(), children.size());
    }
}
