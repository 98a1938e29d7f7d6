package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.UUID;
import java.util.regex.Pattern;

/// The definition of a VM, the same record in requests, in ZooKeeper and in the agents.
///
/// @param name            1 to 63 of `a-z 0-9 -`, starting with a letter or digit; unique in the cluster
/// @param uuid            identity for its whole life
/// @param driver          `simulated` or `qemu`
/// @param memoryBytes     guest physical memory in bytes, a multiple of `pageBytes`
/// @param vcpus           number of vCPUs, 1 to [#MAX_VCPUS]
/// @param program         guest program: `dirty`, `kv`, `bank` or `linux`
/// @param workingSetBytes bytes the program works on, at most `memoryBytes`
/// @param pattern         access pattern: `sequential`, `uniform` or `zipf`
/// @param seed            seed of everything random in the program
/// @param tier            where its pages start: `shared`, `local`, or `auto`: local if all of it fits
/// @param pageBytes       size of its pages, 4096 or 2 MiB
/// @param checkpointUs    protected, with this long between two commits at most; 0 when it is not protected
/// @param onHostFailure   what becomes of it when its host dies and it cannot go on: `stop` leaves it LOST, `restart`
///                        boots it again elsewhere
public record VmSpec(String name, UUID uuid, String driver, long memoryBytes, int vcpus, String program,
        long workingSetBytes, String pattern, long seed, String tier, int pageBytes, int checkpointUs,
        String onHostFailure) {
    /// The page size of a VM that asks for none.
    public static final int SMALL_PAGE_BYTES = 4096;
    /// The other page size.
    public static final int LARGE_PAGE_BYTES = 2 << 20;

    /// Shortest and longest time between two commits of a protected VM.
    public static final int MIN_CHECKPOINT_US = 100;
    public static final int MAX_CHECKPOINT_US = 1_000_000;
    /// The value of [#onHostFailure] of a VM that asks for none, and the other one.
    public static final String STOP = "stop";
    public static final String RESTART = "restart";

    /// A metadata slot of 1 MiB holds the registers of this many vCPUs with room to spare.
    public static final int MAX_VCPUS = 64;

    /// Names are file names, znode names and words of a command line, so they have the narrowest of the three
    /// alphabets.
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    public VmSpec {
        requireNonNull(name, "name is null");
        requireNonNull(uuid, "uuid is null");
        requireNonNull(driver, "driver is null");
        requireNonNull(program, "program is null");
        requireNonNull(pattern, "pattern is null");
        requireNonNull(tier, "tier is null");
        requireNonNull(onHostFailure, "onHostFailure is null");
    }

    /// A VM that is not protected.
    public VmSpec(String name, UUID uuid, String driver, long memoryBytes, int vcpus, String program,
            long workingSetBytes, String pattern, long seed, String tier, int pageBytes) {
        this(name, uuid, driver, memoryBytes, vcpus, program, workingSetBytes, pattern, seed, tier, pageBytes, 0, STOP);
    }

    /// A VM of small pages that start in shared memory.
    public VmSpec(String name, UUID uuid, String driver, long memoryBytes, int vcpus, String program,
            long workingSetBytes, String pattern, long seed) {
        this(name, uuid, driver, memoryBytes, vcpus, program, workingSetBytes, pattern, seed, "shared",
                SMALL_PAGE_BYTES);
    }

    /// The same with pages that start in another tier.
    public VmSpec withTier(String newTier) {
        return new VmSpec(name, uuid, driver, memoryBytes, vcpus, program, workingSetBytes, pattern, seed, newTier,
                pageBytes, checkpointUs, onHostFailure);
    }

    /// The same with pages of another size.
    public VmSpec withPageBytes(int newPageBytes) {
        return new VmSpec(name, uuid, driver, memoryBytes, vcpus, program, workingSetBytes, pattern, seed, tier,
                newPageBytes, checkpointUs, onHostFailure);
    }

    /// The same, protected with at most this long between two commits, in microseconds; 0: not protected.
    public VmSpec withProtection(int us) {
        return new VmSpec(name, uuid, driver, memoryBytes, vcpus, program, workingSetBytes, pattern, seed, tier,
                pageBytes, us, onHostFailure);
    }

    /// The same with another policy for the death of its host.
    public VmSpec withOnHostFailure(String policy) {
        return new VmSpec(name, uuid, driver, memoryBytes, vcpus, program, workingSetBytes, pattern, seed, tier,
                pageBytes, checkpointUs, policy);
    }

    /// How many pages its memory has.
    public long pages() {
        return memoryBytes / pageBytes;
    }

    /// Whether a text may name a VM or a host.
    public static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    /// Refuses a definition that no driver can run, before anything has been changed.
    ///
    /// @throws TomboloException `VM_SPEC_INVALID` that names the first wrong field
    public VmSpec checked() {
        require(isName(name), "name", name, "1 to 63 of a-z 0-9 -, first a letter or digit");
        require(driver.equals("simulated") || driver.equals("qemu"), "driver", driver, "simulated, qemu");
        require(pageBytes == SMALL_PAGE_BYTES || pageBytes == LARGE_PAGE_BYTES, "pageBytes", pageBytes,
                SMALL_PAGE_BYTES + ", " + LARGE_PAGE_BYTES);
        require(memoryBytes > 0 && memoryBytes % pageBytes == 0, "memoryBytes", memoryBytes,
                "a positive multiple of " + pageBytes);
        require(tier.equals("shared") || tier.equals("local") || tier.equals("auto"), "tier", tier,
                "shared, local, auto");
        require(vcpus >= 1 && vcpus <= MAX_VCPUS, "vcpus", vcpus, "1 to " + MAX_VCPUS);
        require(!program.isEmpty() && program.length() <= 32, "program", program, "dirty, kv, bank, linux");
        require(workingSetBytes >= 0 && workingSetBytes <= memoryBytes, "workingSetBytes", workingSetBytes,
                "0 to memoryBytes");
        require(pattern.equals("sequential") || pattern.equals("uniform") || pattern.equals("zipf"), "pattern", pattern,
                "sequential, uniform, zipf");
        require(checkpointUs == 0 || (checkpointUs >= MIN_CHECKPOINT_US && checkpointUs <= MAX_CHECKPOINT_US),
                "checkpointUs", checkpointUs, "0 or " + MIN_CHECKPOINT_US + " to " + MAX_CHECKPOINT_US);
        require(onHostFailure.equals(STOP) || onHostFailure.equals(RESTART), "onHostFailure", onHostFailure,
                "stop, restart");
        if (driver.equals("qemu")) {
            // QEMU maps a segment file of the region as the guest's memory; nobody can move its pages.
            require(tier.equals("shared"), "tier", tier, "shared, for the qemu driver");
            require(pageBytes == SMALL_PAGE_BYTES, "pageBytes", pageBytes, SMALL_PAGE_BYTES + ", for the qemu driver");
        }
        return this;
    }

    private void require(boolean holds, String field, Object found, String expected) {
        if (!holds) {
            throw TomboloException.error(CoordinatorError.VM_SPEC_INVALID, "the VM definition has a wrong field")
                    .fact("vm", name).fact("field", field).fact("found", found).fact("expected", expected)
                    .next("correct the field and repeat the command").build();
        }
    }
}
