/** Tombolo. */
package io.tombolo.coordinator;
