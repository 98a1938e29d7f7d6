/// The QEMU driver: a real guest whose memory is the VM's segment file and whose device state goes through the VM's
/// metadata slot. docs/qemu.md says what was measured and what is not trusted.
///
/// One [io.tombolo.agent.qemu.QemuGuest] is one QEMU process with its QMP connection. Nothing here knows of owner
/// words: the caller decides when a guest may be continued or given up, and this package makes sure that QEMU never
/// decides by itself.
package io.tombolo.agent.qemu;
