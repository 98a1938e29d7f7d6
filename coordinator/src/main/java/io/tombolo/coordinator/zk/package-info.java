/// The edge to ZooKeeper: the tree and its payloads, membership, leadership with a term, intents, VM records, leases
/// and the heartbeat of the session. docs/zookeeper.md draws the tree and says who writes what. Nothing here decides
/// who runs a VM: the owner word in the region does.
package io.tombolo.coordinator.zk;
