package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.net.InetSocketAddress;
import java.net.SocketAddress;

/// Where an RPC server listens.
///
/// @param host host name or address
/// @param port TCP port
public record RpcAddress(String host, int port) {
    public RpcAddress {
        requireNonNull(host, "host is null");
    }

    /// `host:port`.
    public String text() {
        return host + ":" + port;
    }

    static String text(SocketAddress address) {
        return address instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress() + ":" + inet.getPort()
                : address.toString();
    }
}
