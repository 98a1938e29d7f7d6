package io.tombolo.coordinator.wire;

/// A message that asks for exactly one [Reply].
public sealed interface Request extends Message permits AgentRequest, CoordinatorRequest {
}
