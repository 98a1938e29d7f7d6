package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.os.Linux;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A kill group for machines without a usable cgroup: the first process leads a session and process group of its own,
/// and its environment carries a mark that its descendants inherit. A member is who is in the session or carries the
/// mark; so a child that calls setsid(2) is still found. A process that both leaves the session and clears its
/// environment escapes, and so does one of another user: that is why the cgroup is preferred.
///
/// A child may be forked, and its parent die, between two looks at /proc; so a group counts as empty only after two
/// looks in a row that found nobody, the leader being reaped.
final class SessionKillGroup implements KillGroup {
    /// Variable of the mark.
    static final String MARK = "TOMBOLO_KILL_GROUP";

    private final String mark;
    private volatile Process leader;

    /// @param mark unique to this group
    SessionKillGroup(String mark) {
        this.mark = requireNonNull(mark, "mark is null");
    }

    @Override
    public String describe() {
        return "session " + (leader == null ? "not started" : leader.pid()) + " mark " + mark;
    }

    @Override
    public List<String> wrap(List<String> command) {
        // A process that Java starts is no group leader, so setsid does not fork and the pid stays.
        List<String> all = new ArrayList<>(List.of("setsid"));
        all.addAll(command);
        return all;
    }

    @Override
    public Map<String, String> environment() {
        return Map.of(MARK, mark);
    }

    @Override
    public void started(Process process) {
        leader = requireNonNull(process, "process is null");
    }

    @Override
    public List<Long> members() {
        if (leader == null) {
            return List.of();
        }
        return members(MARK + "=" + mark + "\0", leader.pid());
    }

    /// Living processes of a session or with a mark; also used to clean up after a supervisor that died.
    static List<Long> members(String markPrefix, long session) {
        long own = ProcessHandle.current().pid();
        return ProcFs.pids().stream().filter(pid -> pid != own).filter(pid -> {
            var stat = ProcFs.stat(pid);
            return stat.isPresent() && (stat.get().session() == session || ProcFs.environmentHas(pid, markPrefix));
        }).filter(pid -> !ProcFs.dead(pid)).toList();
    }

    @Override
    public boolean empty() {
        if (leader != null && leader.isAlive()) {
            return false;
        }
        List<Long> first = members();
        return first.isEmpty() && members().isEmpty();
    }

    @Override
    public void killOnce() {
        if (leader != null) {
            leader.destroyForcibly();
        }
        for (long pid : members()) {
            Linux.kill(pid, Linux.SIGKILL);
        }
    }

    @Override
    public void close() {
        // Nothing of the system was taken.
    }
}
