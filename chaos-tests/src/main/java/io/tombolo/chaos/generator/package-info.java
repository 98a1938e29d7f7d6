/** What a run does, and when: generators of operations, as values. */
package io.tombolo.chaos.generator;
