package io.tombolo.chaos.nemesis;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The kinds of faults there are.
public enum NemesisKind {
    /// SIGKILL and start again.
    KILL,
    /// SIGSTOP, longer than a session.
    PAUSE,
    /// Cut links.
    PARTITION,
    /// Slow, lossy and narrow links.
    SLOW,
    /// Reset and half-open connections.
    CONNECTION,
    /// ZooKeeper without a quorum.
    QUORUM,
    /// ZooKeeper's servers cannot write.
    DISK,
    /// Agents stand still for parts of a second.
    STALL,
    /// Death at a named moment of a hand-off.
    HALT,
    /// Flipped bits in the region.
    DAMAGE,
    /// Hosts leave and come back.
    MEMBERSHIP;

    /// As on the command line.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The kind of that name.
    public static Optional<NemesisKind> ofText(String text) {
        return Arrays.stream(values()).filter(kind -> kind.text().equals(text)).findFirst();
    }

    /// Whether it needs links that can be slowed and connections that can be ended.
    public boolean needsShaping() {
        return this == SLOW || this == CONNECTION;
    }

    /// All names.
    public static List<String> texts() {
        return Arrays.stream(values()).map(NemesisKind::text).toList();
    }

    /// Makes one.
    public Nemesis create(Targets targets) {
        return switch (this) {
            case KILL -> new KillNemesis(targets);
            case PAUSE -> new PauseNemesis(targets);
            case PARTITION -> new PartitionNemesis(targets);
            case SLOW -> new SlowNemesis(targets);
            case CONNECTION -> new ConnectionNemesis(targets);
            case QUORUM -> new QuorumNemesis(targets);
            case DISK -> new DiskNemesis(targets);
            case STALL -> new StallNemesis(targets);
            case HALT -> new HaltNemesis(targets, targets.cluster().timings());
            case DAMAGE -> new DamageNemesis(targets);
            case MEMBERSHIP -> new MembershipNemesis(targets);
        };
    }
}
