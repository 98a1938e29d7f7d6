package io.tombolo.chaos.cluster;

import io.tombolo.chaos.proxy.LinkPolicy;
import io.tombolo.deploy.cluster.ClusterNetwork;
import java.util.List;

/// The network of a cluster under attack: what one process sends to another can be cut or slowed, direction by
/// direction. Thread safe.
public interface FaultNetwork extends ClusterNetwork, AutoCloseable {
    /// The process that stands for all clients of guests.
    String CLIENT = "client";

    /// All processes that have an address, without [#CLIENT].
    List<String> processes();

    /// What happens from now on to what `from` sends to `to`.
    void set(String from, String to, LinkPolicy policy);

    /// What happens to it now.
    LinkPolicy policy(String from, String to);

    /// Ends `to`'s side of the connections between the two; the other side hears nothing of it. Returns how many.
    int halfOpen(String from, String to);

    /// Ends what [#halfOpen] left.
    void endHalfOpen();

    /// Ends all connections between the two. Returns how many.
    int reset(String from, String to);

    /// Everything as it was.
    void heal();

    /// Whether slow and lossy links can be had, and half-open connections.
    boolean shapes();

    /// Address at which clients of guests reach a host.
    String forClients(String host);

    @Override
    void close();
}
