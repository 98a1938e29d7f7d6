/// A cluster of real processes on one machine: kill groups, the supervisor that owns them and their watchdogs, and the
/// local cluster that `tombolo up` and `tombolo drill` run. docs/watchdog.md has the rules.
package io.tombolo.deploy.cluster;
