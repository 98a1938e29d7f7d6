/// The agent's part of a takeover: what a host does that goes on with a VM whose owner has failed.
package io.tombolo.agent.takeover;
