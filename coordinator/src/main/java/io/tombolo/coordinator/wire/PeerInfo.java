package io.tombolo.coordinator.wire;

/// Who is at the other end of a connection, as it said in its [Hello].
///
/// @param minor   protocol minor spoken on this connection: the lower of both sides'
/// @param address remote address and port, for messages
public record PeerInfo(Role role, String name, long incarnation, long highestTerm, int minor, String address) {
    static PeerInfo of(Hello hello, int ownMinor, String address) {
        return new PeerInfo(hello.role(), hello.name(), hello.incarnation(), hello.highestTerm(),
                Math.min(ownMinor, hello.minor()), address);
    }

    /// Role, name and address in one readable word, for messages.
    public String describe() {
        return role + ":" + name + "@" + address;
    }
}
