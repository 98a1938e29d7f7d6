package io.tombolo.agent.sim;

/// The state of one vCPU: [#COUNT] 64-bit registers, nothing else. Whoever has these and the guest memory has the VM.
///
/// Registers 0 to 15 mean the same for every program (the constants here), 16 to 31 are the program's own. The numbers
/// are part of the blob format (docs/simulated-hypervisor.md) and never change.
///
/// Written by the vCPU's own thread while it runs; may be read and written by others only while the vCPUs are stopped
/// (the gate orders that). Reads from elsewhere while it runs are allowed for statistics and may be stale.
public final class VcpuRegisters {
    /// Number of registers.
    public static final int COUNT = 32;

    /// Instructions executed since boot.
    public static final int INSTRUCTIONS = 0;
    /// State of the vCPU's random numbers.
    public static final int RNG = 1;
    /// Code of the program, so that a foreign blob cannot be run.
    public static final int PROGRAM = 2;
    /// Index of this vCPU.
    public static final int VCPU = 3;
    /// Self-checks done.
    public static final int CHECKS = 4;
    /// Self-checks that failed; any value but 0 is damage.
    public static final int ERRORS = 5;
    /// Code of the first failed check, see [SelfCheck].
    public static final int FIRST_ERROR_KIND = 6;
    /// Guest physical address of the first failed check.
    public static final int FIRST_ERROR_GPA = 7;
    /// Instruction count at the first failed check.
    public static final int FIRST_ERROR_INSTRUCTION = 8;
    /// Guest faults taken; the vCPU does not run on after one.
    public static final int FAULTS = 9;
    /// Client requests executed, repeats included; the next entry of the input log has this index.
    public static final int REQUESTS = 10;
    /// 1 once the program has booted on this vCPU.
    public static final int BOOTED = 11;
    /// First of four registers kept at 0 for later versions.
    public static final int RESERVED = 12;
    /// First register of the program.
    public static final int PROGRAM_0 = 16;

    // Twice as long as needed: registers of vCPUs that run on different cores must not share a cache line.
    private final long[] words = new long[2 * COUNT];

    public long get(int register) {
        return words[register];
    }

    public void set(int register, long value) {
        words[register] = value;
    }

    /// The array itself, registers first, for programs; the tail is padding.
    long[] words() {
        return words;
    }

    void clear() {
        java.util.Arrays.fill(words, 0);
    }

    void copyFrom(VcpuRegisters other) {
        System.arraycopy(other.words, 0, words, 0, COUNT);
    }

    /// Notes a failed self-check: counts it, and keeps where the first one was.
    static void error(long[] r, SelfCheck kind, long gpa) {
        if (r[ERRORS]++ == 0) {
            r[FIRST_ERROR_KIND] = kind.code();
            r[FIRST_ERROR_GPA] = gpa;
            r[FIRST_ERROR_INSTRUCTION] = r[INSTRUCTIONS];
        }
    }
}
