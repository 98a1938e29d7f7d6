/** TCP proxies between the processes of a cluster, with the faults of a network. */
package io.tombolo.chaos.proxy;
