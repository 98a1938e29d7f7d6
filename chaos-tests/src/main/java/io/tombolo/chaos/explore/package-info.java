/// Every interleaving of a small configuration, on the shipped cores: `docs/exploration.md`.
package io.tombolo.chaos.explore;
