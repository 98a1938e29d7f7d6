/** Histories of operations: events, the journal that records them, and the files that hold them. */
package io.tombolo.chaos.history;
