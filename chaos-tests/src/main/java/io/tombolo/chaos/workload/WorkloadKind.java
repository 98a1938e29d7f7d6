package io.tombolo.chaos.workload;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The workloads there are.
public enum WorkloadKind {
    /// Linearizable registers.
    KV("kv");

    private final String program;

    WorkloadKind(String program) {
        this.program = program;
    }

    /// As on the command line.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Program of the guest.
    public String program() {
        return program;
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
    public Workload create(ClusterUnderTest cluster, GuestVms vms, long seed) {
        return switch (this) {
            case KV -> new KvWorkload(cluster, vms, seed);
        };
    }
}
