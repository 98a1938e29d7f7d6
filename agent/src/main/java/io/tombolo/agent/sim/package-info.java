/// The simulated hypervisor: vCPUs with explicit register state that run deterministic guest programs in slices, every
/// memory access going through the page table of the VM in the shared region.
///
/// The rules that the package keeps, and docs/simulated-hypervisor.md explains:
///
/// - All state of a guest is in [VcpuRegisters] or in guest memory, so registers + memory = the VM.
/// - State is a function of seed, instruction counts and the log of client requests, never of time or of slice size.
/// - Only vCPU threads touch guest memory through [PagedMemory]; whatever else must read or copy it goes through
///   [io.tombolo.agent.pages.GuestCopier], which counts.
package io.tombolo.agent.sim;
