/** Chaos runs as JUnit 5 tests. */
package io.tombolo.chaos.junit;
