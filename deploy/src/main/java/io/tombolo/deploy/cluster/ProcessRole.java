package io.tombolo.deploy.cluster;

/// What a process of a cluster is.
public enum ProcessRole {
    ZOOKEEPER, COORDINATOR, AGENT
}
