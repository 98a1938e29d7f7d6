package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.util.UUID;

/// What a simulated VM is: everything its memory image is a function of, beside instruction counts and client requests.
///
/// @param uuid            identity of the VM; not an input of the program
/// @param memoryBytes     guest memory, a multiple of 4096
/// @param vcpus           1 to [#MAX_VCPUS]
/// @param program         what the vCPUs run
/// @param workingSetBytes how much of memory the page visits of all vCPUs together use; 0 = all of it
/// @param pattern         order of the page visits
/// @param seed            of every random choice of the guest
public record GuestSpec(UUID uuid, long memoryBytes, int vcpus, GuestProgram program, long workingSetBytes,
        AccessPattern pattern, long seed) {

    /// Limit of vCPUs: 64 x 264 bytes of registers fit any metadata slot with room to spare.
    public static final int MAX_VCPUS = 64;
    /// Limit of guest memory: page numbers of the Zipf scatter must stay below 2^30.
    public static final long MAX_MEMORY_BYTES = 1L << 42;

    public GuestSpec {
        requireNonNull(uuid, "uuid is null");
        requireNonNull(program, "program is null");
        requireNonNull(pattern, "pattern is null");
        if (memoryBytes <= 0 || memoryBytes % GuestMemory.PAGE_BYTES != 0 || memoryBytes > MAX_MEMORY_BYTES) {
            throw invalid("memory is not a positive multiple of 4096 up to the limit").fact("memoryBytes", memoryBytes)
                    .fact("limit", MAX_MEMORY_BYTES).build();
        }
        if (vcpus < 1 || vcpus > MAX_VCPUS) {
            throw invalid("vCPU count out of range").fact("vcpus", vcpus).fact("limit", MAX_VCPUS).build();
        }
        if (workingSetBytes < 0 || workingSetBytes > memoryBytes) {
            throw invalid("working set larger than memory").fact("workingSetBytes", workingSetBytes)
                    .fact("memoryBytes", memoryBytes).build();
        }
        long share = memoryBytes / GuestMemory.PAGE_BYTES / vcpus;
        if (share < program.minimumPages()) {
            throw invalid("too little memory per vCPU for this program").fact("program", program.label())
                    .fact("pagesPerVcpu", share).fact("minimum", program.minimumPages()).build();
        }
    }

    private static TomboloException.Builder invalid(String what) {
        return TomboloException.error(SimError.GUEST_SPEC_INVALID, what).next("tombolo vm create --help");
    }

    /// First page of the part of memory that belongs to a vCPU alone.
    public long firstPage(int vcpu) {
        return vcpu * sharePages();
    }

    /// Pages of that part; the same for all vCPUs, a remainder at the end of memory stays unused.
    public long sharePages() {
        return memoryBytes / GuestMemory.PAGE_BYTES / vcpus;
    }

    /// Pages of that part which the program may use.
    public long workingPages() {
        long bytes = workingSetBytes == 0 ? memoryBytes : workingSetBytes;
        long pages = bytes / GuestMemory.PAGE_BYTES / vcpus;
        return Math.clamp(pages, program.minimumPages(), sharePages());
    }
}
