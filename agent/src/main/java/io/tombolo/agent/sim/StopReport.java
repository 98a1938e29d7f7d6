package io.tombolo.agent.sim;

/// The end of one stretch of running: why, and when the last instruction of any vCPU was done.
///
/// @param reason            why
/// @param cause             what failed, null if nothing did
/// @param lastInstructionNs `System.nanoTime()` after the last instruction, 0 if none was executed
public record StopReport(StopReason reason, Throwable cause, long lastInstructionNs) {
}
