/** What clients do to guests while the cluster is attacked, and what has to hold of it. */
package io.tombolo.chaos.workload;
