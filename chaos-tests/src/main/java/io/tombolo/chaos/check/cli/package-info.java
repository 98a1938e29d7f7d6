/** The command that judges a history file. */
package io.tombolo.chaos.check.cli;
