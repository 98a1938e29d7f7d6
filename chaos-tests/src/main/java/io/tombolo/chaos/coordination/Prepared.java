package io.tombolo.chaos.coordination;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What the leader makes of a write: the tree after it, what changed in order, and the answer. A failed write leaves
/// the tree as it was. After ZooKeeper's `PrepRequestProcessor`: the order of the checks decides which error is told.
///
/// @param changes types are created, deleted, data changed; the changes of parents follow from them
record Prepared(Znodes after, List<WatchEvent> changes, Reply reply) {
    Prepared {
        changes = List.copyOf(changes);
    }

    static Prepared failed(Znodes tree, Code code) {
        return new Prepared(tree, List.of(), Reply.of(code));
    }

    private boolean failed() {
        return reply.code() != Code.OK;
    }

    static Prepared write(Znodes tree, Request.Write write, long session, long zxid) {
        return switch (write) {
            case Request.Create create -> create(tree, create, session, zxid);
            case Request.Delete delete -> delete(tree, delete, zxid);
            case Request.SetData set -> setData(tree, set, zxid);
            case Request.Check check -> failed(tree, versioned(tree.at(check.path()), check.version()));
        };
    }

    private static Prepared create(Znodes tree, Request.Create create, long session, long zxid) {
        Znode parent = tree.at(Znodes.parent(create.path()));
        if (parent == null) {
            return failed(tree, Code.NONODE);
        }
        String path = create.mode().sequential()
                ? create.path() + String.format(Locale.ROOT, "%010d", parent.creates())
                : create.path();
        if (tree.at(path) != null) {
            return failed(tree, Code.NODEEXISTS);
        }
        if (parent.owner() != 0) {
            return failed(tree, Code.NOCHILDRENFOREPHEMERALS);
        }
        return new Prepared(tree.create(path, create.data(), zxid, create.mode().ephemeral() ? session : 0),
                List.of(new WatchEvent(WatchEvent.Type.NODE_CREATED, path)), Reply.created(path));
    }

    private static Prepared delete(Znodes tree, Request.Delete delete, long zxid) {
        if (delete.path().equals("/")) {
            return failed(tree, Code.BADARGUMENTS);
        }
        Znode node = tree.at(delete.path());
        Code code = versioned(node, delete.version());
        if (code == Code.OK && !node.children().isEmpty()) {
            code = Code.NOTEMPTY;
        }
        return code != Code.OK
                ? failed(tree, code)
                : new Prepared(tree.delete(delete.path(), zxid),
                        List.of(new WatchEvent(WatchEvent.Type.NODE_DELETED, delete.path())), Reply.of(Code.OK));
    }

    private static Prepared setData(Znodes tree, Request.SetData set, long zxid) {
        Code code = versioned(tree.at(set.path()), set.version());
        if (code != Code.OK) {
            return failed(tree, code);
        }
        Znodes after = tree.setData(set.path(), set.data(), zxid);
        return new Prepared(after, List.of(new WatchEvent(WatchEvent.Type.NODE_DATA_CHANGED, set.path())),
                Reply.node(null, after.at(set.path()).stat()));
    }

    private static Code versioned(Znode node, int version) {
        if (node == null) {
            return Code.NONODE;
        }
        return version != -1 && version != node.version() ? Code.BADVERSION : Code.OK;
    }

    /// All or nothing: the operation that failed tells its code, those before it 0, those after it were not looked at.
    static Prepared multi(Znodes tree, Request.Multi multi, long session, long zxid) {
        Znodes at = tree;
        List<WatchEvent> changes = new ArrayList<>();
        List<Reply> parts = new ArrayList<>();
        for (Request.Write write : multi.operations()) {
            Prepared one = write(at, write, session, zxid);
            if (one.failed()) {
                List<Reply> failed = new ArrayList<>();
                for (int i = 0; i < multi.operations().size(); i++) {
                    failed.add(i < parts.size()
                            ? Reply.of(Code.OK)
                            : i == parts.size() ? one.reply : Reply.of(Code.RUNTIMEINCONSISTENCY));
                }
                return new Prepared(tree, List.of(), Reply.multi(one.reply.code(), failed));
            }
            at = one.after;
            changes.addAll(one.changes);
            parts.add(one.reply);
        }
        return new Prepared(at, changes, Reply.multi(Code.OK, parts));
    }

    /// The session's ephemeral nodes go.
    static Prepared close(Znodes tree, long session, long zxid) {
        Znodes at = tree;
        List<WatchEvent> changes = new ArrayList<>();
        for (String path : tree.ephemeralsOf(session)) {
            at = at.delete(path, zxid);
            changes.add(new WatchEvent(WatchEvent.Type.NODE_DELETED, path));
        }
        return new Prepared(at, changes, Reply.of(Code.OK));
    }
}
