/// A ZooKeeper ensemble and its clients as one value, for simulation: `docs/coordination-model.md`.
package io.tombolo.chaos.coordination;
