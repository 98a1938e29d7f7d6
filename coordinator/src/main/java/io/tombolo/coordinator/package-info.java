/// The coordinator service: placement, hand-off orchestration, reconciliation after a leader change. It reads owner
/// words and never stores to a VM's structures.
package io.tombolo.coordinator;
