/** Runs of chaos: who does what when, and what is left behind for people to look at. */
package io.tombolo.chaos.run;
