package io.tombolo.chaos.run;

import io.tombolo.chaos.check.UnexpectedErrors.Allowed;
import io.tombolo.chaos.check.UnexpectedErrors.Span;
import io.tombolo.chaos.nemesis.Nemesis;
import io.tombolo.chaos.nemesis.NemesisKind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// Errors in logs that the faults of a run explain: of whom, in which words, and while which faults are at work or have
/// just ended. Everything else that looks like an error makes a run INVALID.
final class AllowedErrors {
    /// After a fault: a process starts again, sessions end, an election comes to its end.
    private static final long AFTER_NS = TimeUnit.SECONDS.toNanos(10);
    /// A server of ZooKeeper starts again, and catches up with the others.
    private static final long AFTER_OF_SERVERS_NS = TimeUnit.SECONDS.toNanos(40);

    /// A cluster starts within this.
    private static final long START_NS = TimeUnit.MINUTES.toNanos(2);

    private static final String ZOOKEEPERS = "zookeeper-\\d+\\.log";
    private static final String CLIENTS = "(host|coordinator)-\\d+\\.log";
    private static final String AGENTS = "host-\\d+\\.log";
    /// Not at the start: what was cut off by a full disk has no end of line.
    private static final String LINE = "Z ERROR ";

    /// What takes a server of ZooKeeper, or its links, away.
    private static final Set<NemesisKind> LOSES_SERVERS = EnumSet.of(NemesisKind.KILL, NemesisKind.PAUSE,
            NemesisKind.PARTITION, NemesisKind.SLOW, NemesisKind.CONNECTION, NemesisKind.QUORUM, NemesisKind.DISK);
    /// What makes a client of ZooKeeper lose its connection, its session, or an answer. A host whose session is gone is
    /// fenced.
    private static final Set<NemesisKind> LOSES_SESSIONS = EnumSet.copyOf(LOSES_SERVERS);

    /// What ends an incarnation otherwise than by a SIGKILL, for whatever reason.
    private static final Set<NemesisKind> ENDS_INCARNATIONS = EnumSet.of(NemesisKind.PAUSE, NemesisKind.STALL,
            NemesisKind.HALT);

    static {
        LOSES_SESSIONS.add(NemesisKind.STALL);
        LOSES_SESSIONS.add(NemesisKind.HALT);
    }

    private AllowedErrors() {
    }

    /// Those of a run.
    ///
    /// @param guestsAreProtected whether a guest must outlive its host
    static List<Allowed> of(FaultSpans faults, List<Nemesis> nemeses, boolean guestsAreProtected) {
        List<Allowed> all = new ArrayList<>();
        // Its words are not ours and are many; what it does wrong is found by the other checks. Not SyncThread: what
        // cannot be written is another matter, see DiskNemesis.
        all.add(new Allowed("zookeeper: its servers or their links are hit", Pattern.compile(ZOOKEEPERS),
                Pattern.compile(LINE + "(?!ZooKeeperCriticalThread \\[SyncThread)"),
                faults.of(LOSES_SERVERS, AFTER_OF_SERVERS_NS)));
        all.add(new Allowed("zookeeper: peers that are not there yet", Pattern.compile(ZOOKEEPERS),
                Pattern.compile(LINE + "QuorumCnxManager "), List.of(new Span(-START_NS, 0))));
        add(all, "curator: what was under way when a connection was lost", CLIENTS,
                "(CuratorFrameworkImpl|ConnectionState|LeaderLatch|ClientCnxn) ", faults, LOSES_SESSIONS);
        add(all, "agent: why an incarnation ended", AGENTS, "Agent(Main)? .*(the incarnation ended|this incarnation"
                + " ends): ", faults, ENDS_INCARNATIONS);
        add(all, "agent: fenced, and the incarnation ended", AGENTS, "Agent .*this incarnation ends: FENCED", faults,
                LOSES_SESSIONS);
        if (!guestsAreProtected) {
            add(all, "agent: a VM was lost with its host", AGENTS, "VmTakeover .*cannot go on: (it was not protected|"
                    + "\\d+ of its pages were in the memory of a host that is gone)", faults, LOSES_SESSIONS);
        }
        for (Nemesis nemesis : nemeses) {
            NemesisKind kind = NemesisKind.ofText(nemesis.name()).orElseThrow();
            for (Nemesis.Expected expected : nemesis.expected()) {
                all.add(new Allowed(nemesis.name() + ": " + expected.why(), Pattern.compile(expected.log()),
                        Pattern.compile(expected.line()), faults.of(Set.of(kind), AFTER_NS)));
            }
        }
        return all;
    }

    private static void add(List<Allowed> all, String why, String log, String line, FaultSpans faults,
            Set<NemesisKind> kinds) {
        all.add(new Allowed(why, Pattern.compile(log), Pattern.compile(LINE + line), faults.of(kinds, AFTER_NS)));
    }
}
