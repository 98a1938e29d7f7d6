package io.tombolo.deploy.report;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/// Everything that one drill found out; what report.json holds and report.html shows. The keys are stable,
/// docs/report.md describes them. Durations are nanoseconds, sizes bytes.
///
/// @param guest           `simulated` or `linux`
/// @param mode            how the guest migrated: `handoff`, `transit`, `copy`; of a drill that compares modes, the one
///                        that all figures outside `modes`, `perHop` and `verification` are about
/// @param hops            hand-offs that were completed
/// @param vmBytes         guest memory
/// @param downtimeNs      last instruction on the old host until first instruction on the new one
/// @param phases          the parts of a hand-off; publish, switch and resume make up the downtime
/// @param warmUp          the hand-offs before those, which are in no other figure; absent when there were none
/// @param contextSwitchNs the baseline, measured in the same run
/// @param bytesCopied     guest bytes that anything but a vCPU moved during all hand-offs
/// @param modes           what each mode cost, in the order in which they were gone through
/// @param verification    what became of the guest's memory and of the region, of all modes together
/// @param compare         the same guest moved by QEMU's own means; absent unless asked for
/// @param clients         what the guest's clients saw; absent when there were none
/// @param vm              what the guest was
/// @param seed            seed of everything random in it
/// @param startedAt       wall clock at the start, ISO 8601
/// @param elapsedMs       start of the cluster until everything was stopped
/// @param versions        name to version
/// @param host            the machine
/// @param perHop          every hand-off in order, mode by mode
/// @param checks          what had to hold, with its verdict
/// @param passed          whether every check held
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DrillReport(String guest, String mode, int hops, long vmBytes, Statistics downtimeNs, Phases phases,
        WarmUp warmUp, ContextSwitch contextSwitchNs, long bytesCopied, List<Mode> modes,
        Verification verification, Compare compare, Clients clients, Guest vm, long seed, String startedAt,
        long elapsedMs, Map<String, String> versions,
        HostFacts host, List<Hop> perHop,
        List<Check> checks, boolean passed) {
    public DrillReport {
        requireNonNull(guest, "guest is null");
        requireNonNull(mode, "mode is null");
        modes = List.copyOf(modes);
        requireNonNull(downtimeNs, "downtimeNs is null");
        requireNonNull(phases, "phases is null");
        requireNonNull(contextSwitchNs, "contextSwitchNs is null");
        requireNonNull(verification, "verification is null");
        requireNonNull(vm, "vm is null");
        requireNonNull(startedAt, "startedAt is null");
        requireNonNull(versions, "versions is null");
        requireNonNull(host, "host is null");
        perHop = List.copyOf(perHop);
        checks = List.copyOf(checks);
    }

    /// What migrating in one mode cost. Figures per hop are medians over all hops.
    ///
    /// @param mode           `handoff`, `transit`, `copy`
    /// @param hops           migrations that were completed
    /// @param totalNs        from the drill's request for a migration until it was told that all of it was done
    /// @param downtimeNs     last instruction on the old host until first instruction on the new one
    /// @param bytesMoved     bytes copied for a hop, whenever and by whomever
    /// @param bytesCopied    bytes copied between PREPARE and COMMIT, the sum over all hops, warm-up too
    /// @param toShared       pages that left a host's own memory; absent when none did
    /// @param toLocal        pages that came into a host's own memory; absent when none did
    /// @param opsPerSecond   the guest's speed; absent when it was not measured
    /// @param longestStallNs the longest time for which the guest, or one vCPU that waited for a moving page, stood
    /// still; absent when
    ///                       the hosts do not tell of such waits
    /// @param pageWaits      those waits; absent when the hosts do not tell
    /// @param verification   what became of this guest's memory
    /// @param clients        what clients saw; absent when there were none
    /// @param speed          speed over time; empty when it was not measured
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Mode(String mode, int hops, Statistics totalNs, Statistics downtimeNs, long bytesMoved,
            long bytesCopied, Moved toShared, Moved toLocal, OpsPerSecond opsPerSecond, Long longestStallNs,
            PageWaits pageWaits, Verification verification, Clients clients, List<Speed> speed) {
        public Mode {
            requireNonNull(mode, "mode is null");
            requireNonNull(totalNs, "totalNs is null");
            requireNonNull(downtimeNs, "downtimeNs is null");
            requireNonNull(verification, "verification is null");
            speed = List.copyOf(speed);
        }
    }

    /// Pages that changed tier in one direction, of one hop; medians over all hops, and the rate that they make.
    public record Moved(long pages, long ns, long bytesPerSecond) {
    }

    /// Instructions per second of all vCPUs together: while the guest was left alone before each migration, from the
    /// request for each until its answer, and while the guest was left alone on its new host.
    public record OpsPerSecond(long before, long during, long after) {
    }

    /// How long vCPUs waited for pages that were being moved.
    ///
    /// @param count waits
    /// @param p99Ns the largest 99th percentile of any stay on a host
    /// @param maxNs the longest
    public record PageWaits(long count, long p99Ns, long maxNs) {
    }

    /// The guest's speed at one time, on the clock of [Hop#atMs].
    public record Speed(long atMs, long opsPerSecond) {
    }

    /// Hand-offs of a cluster whose JVMs have just begun.
    public record WarmUp(int hops, Statistics downtimeNs) {
        public WarmUp {
            requireNonNull(downtimeNs, "downtimeNs is null");
        }
    }

    /// One way of the pipe ping-pong; `p50` is the smaller of the two ways of measuring it.
    public record ContextSwitch(long p50, OneWay pinned, OneWay unpinned) {
    }

    /// One way of measuring: both processes on one core, or left to the scheduler.
    public record OneWay(long p50, long p99, long min, long rounds) {
    }

    /// What the checks after the last hop found.
    ///
    /// @param identical    memory is what it would be had the guest never moved
    /// @param doubleOwners pairs of hosts that executed the VM at the same time
    /// @param framesLeaked frames that belong to nothing after the VM was destroyed
    /// @param method       how `identical` was decided
    /// @param bytesCompared guest bytes that were compared, one by one
    /// @param selfCheckErrors what the guest itself found wrong in its memory
    public record Verification(boolean identical, int doubleOwners, long framesLeaked, String method,
            long bytesCompared, long selfCheckErrors) {
    }

    /// The guest moved without Tombolo: by a bare QMP script, and by QEMU's pre-copy over TCP loopback.
    public record Compare(Baseline bareHop, Baseline precopy) {
    }

    /// What moving the guest cost in one of those ways.
    ///
    /// @param totalNs    order to move until the guest runs at the target
    /// @param downtimeNs STOP event at the source until RESUME event at the target
    /// @param bytes      bytes that QEMU sent, median
    /// @param runs       moves measured
    /// @param corrupted  further moves that are not in the figures, because the guest found its memory changed
    /// afterwards
    public record Baseline(Median totalNs, MedianMax downtimeNs, long bytes, int runs, int corrupted) {
    }

    /// A median.
    public record Median(long p50) {
    }

    /// A median and a maximum.
    public record MedianMax(long p50, long max) {
    }

    /// What clients saw that sent operations to the guest, one at a time each, while it hopped.
    ///
    /// @param count         clients
    /// @param acknowledged  operations that were answered
    /// @param repeats       times that an operation was sent again, because the VM was elsewhere or no answer came
    /// @param wrongAnswers  answers that contradict what the client did before
    /// @param longestGapNs  between two answers that the same client got one after the other
    public record Clients(int count, long acknowledged, long repeats, long wrongAnswers, long longestGapNs) {
    }

    /// What the guest was.
    public record Guest(String driver, int vcpus, String program, long workingSetBytes, String pattern) {
    }

    /// The machine, for whoever reads the figures elsewhere.
    public record HostFacts(int cpus, String cpuModel, String kernel, long memoryBytes, String clockSource, int hosts) {
    }

    /// One hand-off.
    ///
    /// @param mode how the memory came over
    /// @param hop  number, from 1, in its mode
    /// @param atMs when it was ordered, since the start of the first of its mode
    /// @param measured whether the source heard from the target when it ran; if not, the downtime and what follows
    /// publish are
    ///             unknown and 0, and the hop is left out of the statistics
    /// @param totalNs       from the request until its answer
    /// @param bytesMoved    bytes copied, whenever and by whomever
    /// @param pagesToShared pages that left the source's own memory, in `toSharedNs`
    /// @param pagesToLocal  pages that came into the target's own memory, in `toLocalNs`
    public record Hop(String mode, int hop, String from, String to, long epoch, long atMs, long downtimeNs,
            long prepareNs,
            long quiesceNs, long publishNs, @JsonProperty("switchNs") long switchNs, long resumeNs, long commitNs,
            long stateBytes, long bytesCopied, boolean measured, long totalNs, long bytesMoved, long pagesToShared,
            long pagesToLocal, long toSharedNs, long toLocalNs) {
    }

    /// One thing that had to hold.
    public record Check(String name, Verdict verdict, String detail) {
    }

    /// What became of a check.
    public enum Verdict {
        /// It held.
        PASS,
        /// It did not hold: the drill fails.
        FAIL,
        /// A figure that the project wants to reach was missed; the drill does not fail, because machines are noisy.
        MISSED
    }

    /// Statistics of the phases over all hops.
    public static Phases phasesOf(List<Hop> hops) {
        return new Phases(of(hops, Hop::prepareNs), of(hops, Hop::quiesceNs), of(hops, Hop::publishNs),
                of(hops, Hop::switchNs), of(hops, Hop::resumeNs), of(hops, Hop::commitNs));
    }

    /// What the others call total: the order to move until the guest runs at the target. As in their moves, the
    /// target's process has been launched before (PREPARE), and COMMIT comes after the guest runs.
    public static Statistics totalOf(List<Hop> hops) {
        return of(hops, h -> h.quiesceNs() + h.downtimeNs());
    }

    /// The lower median of one figure over all hops, exactly; 0 of none.
    public static long medianOf(List<Hop> hops, ToLongFunction<Hop> figure) {
        long[] sorted = hops.stream().mapToLong(figure).sorted().toArray();
        return sorted.length == 0 ? 0 : sorted[(sorted.length - 1) / 2];
    }

    /// Statistics of one figure over all hops that were measured.
    public static Statistics of(List<Hop> hops, ToLongFunction<Hop> figure) {
        return Statistics.of(hops.stream().filter(Hop::measured).mapToLong(figure).toArray());
    }
}
