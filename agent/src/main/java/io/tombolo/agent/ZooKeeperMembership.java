package io.tombolo.agent;
import io.tombolo.agent.right.*;
import io.tombolo.region.ClaimedSlot;
import java.util.function.Consumer;
final class ZooKeeperMembership {
    static ClusterMembership open(AgentConfig config, Timings timings, ClaimedSlot slot, Consumer<RightEvent> events) { throw new UnsupportedOperationException(); }
}
