package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.Call.Bytes;
import java.util.List;

/// A world of a takeover: the region's words by area, three hosts, and what an observer who sees everything knows.
///
/// @param words by area of [RegionImage]
/// @param hosts A, C and D
record TakeoverWorld(List<Words> words, List<Lives.Node> hosts, Truth truth) {

    /// What must be true whatever a host believes.
    ///
    /// @param told      the longest history that any client was told, as [TakeoverLife] writes it
    /// @param committed the history of the state that the commit word names
    /// @param executed  the greatest epoch under which a guest was executed
    /// @param begun     the greatest epoch whose takeover has sealed the commit word
    /// @param touched   the greatest epoch whose takeover has stored to the VM
    /// @param interval  the last interval whose pages were logged, and by which epoch
    /// @param epochs    the epoch at which each host had the VM last; 0 never
    /// @param faults    that may still happen
    /// @param wrong     what must never be; null
    record Truth(Bytes told, Bytes committed, long executed, long begun, long touched, long interval, long loggedBy,
            List<Long> epochs, int faults, String wrong) {
        Truth wrong(String what) {
            return wrong != null
                    ? this
                    : new Truth(told, committed, executed, begun, touched, interval, loggedBy, epochs, faults, what);
        }

        Truth told(Bytes now) {
            return new Truth(now, committed, executed, begun, touched, interval, loggedBy, epochs, faults, wrong);
        }

        Truth committed(Bytes now) {
            return new Truth(told, now, executed, begun, touched, interval, loggedBy, epochs, faults, wrong);
        }

        Truth executed(long epoch) {
            return new Truth(told, committed, Math.max(executed, epoch), begun, touched, interval, loggedBy, epochs,
                    faults, wrong);
        }

        Truth begun(long epoch) {
            return new Truth(told, committed, executed, Math.max(begun, epoch), touched, interval, loggedBy, epochs,
                    faults, wrong);
        }

        Truth touched(long epoch) {
            return epoch <= touched
                    ? this
                    : new Truth(told, committed, executed, begun, epoch, interval, loggedBy, epochs, faults, wrong);
        }

        Truth logged(long number, long epoch) {
            return new Truth(told, committed, executed, begun, touched, number, epoch, epochs, faults, wrong);
        }

        Truth epochs(List<Long> now) {
            return new Truth(told, committed, executed, begun, touched, interval, loggedBy, now, faults, wrong);
        }

        Truth fault() {
            return new Truth(told, committed, executed, begun, touched, interval, loggedBy, epochs, faults - 1, wrong);
        }
    }
}
