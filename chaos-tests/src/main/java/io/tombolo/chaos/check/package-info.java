/** Checkers of histories and of what else a run leaves behind, and their verdicts. */
package io.tombolo.chaos.check;
