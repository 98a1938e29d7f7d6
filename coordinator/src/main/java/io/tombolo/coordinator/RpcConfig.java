package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

/// Where a process listens for requests.
///
/// @param bindAddress       address to listen on; nothing authenticates a peer, so loopback unless the network is
/// private
/// @param port              port to listen on; 0 takes a free one
/// @param advertisedAddress address under which others reach it; `""` means `bindAddress`
public record RpcConfig(@Defaulted("127.0.0.1") String bindAddress, @Defaulted("0") int port,
        @Defaulted("\"\"") String advertisedAddress) {
    public RpcConfig {
        requireNonNull(bindAddress, "bindAddress is null");
        requireNonNull(advertisedAddress, "advertisedAddress is null");
        ConfigFile.check(!bindAddress.isBlank(), "rpc.bindAddress", bindAddress, "an address of this machine");
        ConfigFile.check(port >= 0 && port <= 65_535, "rpc.port", port, "0 to 65535");
        ConfigFile.check(!advertised(bindAddress, advertisedAddress).equals("0.0.0.0"), "rpc.advertisedAddress",
                advertisedAddress, "an address that others can connect to, when bindAddress is 0.0.0.0");
    }

    /// The address to tell others.
    public String advertised() {
        return advertised(bindAddress, advertisedAddress);
    }

    private static String advertised(String bind, String advertised) {
        return advertised.isEmpty() ? bind : advertised;
    }
}
