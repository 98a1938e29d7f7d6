/** Tombolo. */
package io.tombolo.chaos;
