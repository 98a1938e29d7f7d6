package io.tombolo.chaos.coordination;

import static java.util.Objects.requireNonNull;

/// Something changed at a path, once.
public record WatchEvent(Type type, String path) {
    /// ZooKeeper's `Watcher.Event.EventType`.
    public enum Type {
        NODE_CREATED, NODE_DELETED, NODE_DATA_CHANGED, NODE_CHILDREN_CHANGED
    }

    public WatchEvent {
        requireNonNull(type, "type is null");
        requireNonNull(path, "path is null");
    }
}
