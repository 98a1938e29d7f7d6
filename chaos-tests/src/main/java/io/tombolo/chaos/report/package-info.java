/** The page that a run leaves behind for people: what was checked, what happened when, and why a history cannot be. */
package io.tombolo.chaos.report;
