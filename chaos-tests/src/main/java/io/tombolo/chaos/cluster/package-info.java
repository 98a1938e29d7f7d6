/** A cluster of real processes, with the means to hurt each of them and every link between them. */
package io.tombolo.chaos.cluster;
