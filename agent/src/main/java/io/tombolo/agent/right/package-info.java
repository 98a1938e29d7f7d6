/// What gives a host the right to run VMs, and what takes it away: timings, the right keeper, the board of checks and
/// the petting of the watchdog. The words and the argument are in docs/watchdog.md.
package io.tombolo.agent.right;
