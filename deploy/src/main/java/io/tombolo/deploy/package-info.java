/** Tombolo. */
package io.tombolo.deploy;
