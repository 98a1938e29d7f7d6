/** Tombolo. */
package io.tombolo.region;
