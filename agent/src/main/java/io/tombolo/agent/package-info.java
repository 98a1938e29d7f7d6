/** Tombolo. */
package io.tombolo.agent;
