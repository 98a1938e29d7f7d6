package io.tombolo.chaos.proxy;

/// What happens to bytes on one direction of a link. Bytes of a TCP stream are never dropped in the middle: a packet
/// that a network loses is sent again by the sender's kernel, so a loss is a delay, and a partition holds everything
/// until it is healed. Immutable.
///
/// @param held           nothing passes, connections neither come into being nor end, as with a cable that is cut
/// @param delayNs        added to every piece of data
/// @param jitterNs       up to that much more, at random; the order stays
/// @param bytesPerSecond at most that much passes; 0 for no limit
/// @param lossPerMille   of 1000 pieces, how many are lost and come again after a retransmission time-out, and hold up
///                       what is behind them
public record LinkPolicy(boolean held, long delayNs, long jitterNs, long bytesPerSecond, int lossPerMille) {
    /// As if there were no proxy.
    public static final LinkPolicy OPEN = new LinkPolicy(false, 0, 0, 0, 0);
    /// Nothing passes.
    public static final LinkPolicy HELD = new LinkPolicy(true, 0, 0, 0, 0);

    public LinkPolicy {
        if (delayNs < 0 || jitterNs < 0 || bytesPerSecond < 0 || lossPerMille < 0 || lossPerMille > 1000) {
            throw new IllegalArgumentException("out of range: " + delayNs + " " + jitterNs + " " + bytesPerSecond + " "
                    + lossPerMille);
        }
    }

    /// Slow and far away.
    public static LinkPolicy slow(long delayNs, long jitterNs) {
        return new LinkPolicy(false, delayNs, jitterNs, 0, 0);
    }

    /// Loses packets.
    public static LinkPolicy lossy(int perMille) {
        return new LinkPolicy(false, 0, 0, 0, perMille);
    }

    /// Passes a few bytes at a time.
    public static LinkPolicy narrow(long bytesPerSecond) {
        return new LinkPolicy(false, 0, 0, bytesPerSecond, 0);
    }

    boolean isPlain() {
        return equals(OPEN);
    }
}
