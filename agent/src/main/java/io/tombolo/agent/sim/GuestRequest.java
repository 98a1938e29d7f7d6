package io.tombolo.agent.sim;

/// One request of a client to a guest.
///
/// @param clientId who asks; 0 = the client does not want repeats recognised and must not send one
/// @param sequence grows with each new request of the client; the same number again is a repeat and is answered with
///                 the first result instead of being executed again
/// @param op       code of a [GuestOp]
/// @param a        argument, as are b and c; the meaning is the operation's
public record GuestRequest(long clientId, long sequence, int op, long a, long b, long c) {
    public static GuestRequest of(long clientId, long sequence, GuestOp op, long a, long b, long c) {
        return new GuestRequest(clientId, sequence, op.code(), a, b, c);
    }
}
