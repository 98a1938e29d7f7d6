package io.tombolo.chaos.coordination;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// A tree of nodes, a value: every change yields another tree. Paths begin with `/`; the root is there from the start.
///
/// @param nodes by path, sorted
public record Znodes(SortedMap<String, Znode> nodes) {
    /// The root alone.
    public static final Znodes EMPTY = new Znodes(new TreeMap<>(java.util.Map.of("/", Znode.created("", 0, 0))));

    public Znodes {
        requireNonNull(nodes, "nodes is null");
        nodes = Collections.unmodifiableSortedMap(nodes);
    }

    /// The node at `path`, null when there is none.
    public Znode at(String path) {
        return nodes.get(path);
    }

    /// The path of the parent.
    public static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash <= 0 ? "/" : path.substring(0, slash);
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    Znodes create(String path, String data, long zxid, long owner) {
        TreeMap<String, Znode> next = new TreeMap<>(nodes);
        next.put(path, Znode.created(data, zxid, owner));
        next.compute(parent(path), (_, node) -> node.withChild(name(path), zxid));
        return new Znodes(next);
    }

    Znodes delete(String path, long zxid) {
        TreeMap<String, Znode> next = new TreeMap<>(nodes);
        next.remove(path);
        next.compute(parent(path), (_, node) -> node.withoutChild(name(path), zxid));
        return new Znodes(next);
    }

    Znodes setData(String path, String data, long zxid) {
        TreeMap<String, Znode> next = new TreeMap<>(nodes);
        next.compute(path, (_, node) -> node.withData(data, zxid));
        return new Znodes(next);
    }

    /// Ephemeral nodes of a session, by path.
    public List<String> ephemeralsOf(long session) {
        List<String> found = new ArrayList<>();
        nodes.forEach((path, node) -> {
            if (node.owner() == session) {
                found.add(path);
            }
        });
        return found;
    }
}
