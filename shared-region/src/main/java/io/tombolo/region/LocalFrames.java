package io.tombolo.region;

/// The host's private tier, as the region's code sees it: frames by number, which mean nothing to anybody but the
/// incarnation that has them. A number counts 4 KiB frames of the tier; that of a large page is aligned to 512.
///
/// Thread safe. Nothing of it is in the region, and it ends with the incarnation.
public interface LocalFrames {
    /// Takes up to `count` frames of the size into `frames`, zeroed; returns how many it got.
    int take(PageSize size, int count, long[] frames);

    /// Gives frames back that were taken with the same size.
    void give(PageSize size, long[] frames, int count);
}
