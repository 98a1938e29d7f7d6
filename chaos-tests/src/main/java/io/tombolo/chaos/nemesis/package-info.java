/** Faults: what they do, to whom, and how they are healed. */
package io.tombolo.chaos.nemesis;
