/// The wire protocol between CLI, coordinators and agents: message records, their bytes, frames, handshake, and the RPC
/// server and client that carry them. docs/wire-protocol.md is the authority over the bytes.
package io.tombolo.coordinator.wire;
