/** The search for a linearisation. */
package io.tombolo.chaos.check.linear;
