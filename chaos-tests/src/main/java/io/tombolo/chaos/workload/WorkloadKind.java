package io.tombolo.chaos.workload;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The workloads there are. In all of them the guest is moved from host to host all the time, and who executed it
/// when is recorded and judged.
public enum WorkloadKind {
    /// Linearizable registers.
    KV("kv", 4_000_000, 400_000_000),
    /// Accounts with a constant total.
    BANK("bank", 5_000_000, 400_000_000),
    /// Lists to which elements are appended once.
    APPEND("kv", 4_000_000, 400_000_000),
    /// Few operations, many moves: what matters is who executes.
    OWNERSHIP("kv", 40_000_000, 60_000_000),
    /// As many moves as can be.
    STORM("kv", 20_000_000, 0),
    /// As `kv`, in a cluster whose hosts leave and come back all the time.
    MEMBERSHIP("kv", 8_000_000, 400_000_000);

    private final String program;
    private final long paceNs;
    private final long migrationPauseNs;

    WorkloadKind(String program, long paceNs, long migrationPauseNs) {
        this.program = program;
        this.paceNs = paceNs;
        this.migrationPauseNs = migrationPauseNs;
    }

    /// As on the command line.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Program of the guest.
    public String program() {
        return program;
    }

    /// Time between two calls of all clients together, on average.
    public long paceNs() {
        return paceNs;
    }

    /// Pause between two migrations of the guest, on average; 0 for none.
    public long migrationPauseNs() {
        return migrationPauseNs;
    }

    /// The workload of that name.
    public static Optional<WorkloadKind> ofText(String text) {
        return Arrays.stream(values()).filter(kind -> kind.text().equals(text)).findFirst();
    }

    /// All names.
    public static List<String> texts() {
        return Arrays.stream(values()).map(WorkloadKind::text).toList();
    }

    /// Makes one.
    ///
    /// @param seed of the operations
    public Workload create(ClusterUnderTest cluster, GuestVms vms, long seed) {
        return switch (this) {
            case KV, OWNERSHIP, STORM, MEMBERSHIP -> new KvWorkload(cluster, vms, seed);
            case BANK -> new BankWorkload(cluster, vms, seed);
            case APPEND -> new AppendWorkload(cluster, vms, seed);
        };
    }
}
