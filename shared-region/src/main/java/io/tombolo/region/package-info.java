/// The region: shared memory in a documented format, through which hypervisors hand VMs to each other. JDK only.
package io.tombolo.region;
