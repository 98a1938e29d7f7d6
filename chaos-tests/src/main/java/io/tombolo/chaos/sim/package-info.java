/// Deterministic simulation of the shipped protocols: one seed is one schedule. See docs/simulator.md.
package io.tombolo.chaos.sim;
