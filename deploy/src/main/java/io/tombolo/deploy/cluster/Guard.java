package io.tombolo.deploy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Ends the processes of a cluster when their supervisor dies, however it dies: a shell that reads a pipe whose only
/// other end is the supervisor's. At the end of the pipe it kills the parent cgroup, or the sessions it was told of,
/// and removes the run directory if it was asked to.
///
/// Why not PR_SET_PDEATHSIG: it is tied to the *thread* that started the child, is cleared in the child's own children
/// (so it never reaches QEMU), and leaves a gap between fork and prctl. Why not only an end-of-file on the children's
/// standard input: a stopped child does not read. Agents notice the lost notify socket as well and end by themselves;
/// this is for those that cannot.
final class Guard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Guard.class);

    /// $1 parent cgroup or `-`, $2 directory to remove or `-`. Lines: `+ <session>`, `- <session>`, `.` for an orderly
    /// end.
    private static final String SCRIPT = """
            trap '' INT TERM HUP
            live=''
            while read -r op id; do
              case $op in
                +) live="$live $id" ;;
                -) keep=''
                   for s in $live; do [ "$s" = "$id" ] || keep="$keep $s"; done
                   live=$keep ;;
                .) exit 0 ;;
              esac
            done
            if [ "$1" != - ]; then
              echo 1 > "$1/cgroup.kill"
            fi
            for s in $live; do kill -s KILL -- "-$s"; done
            if [ "$2" != - ] && [ -e "$2/.tombolo-run" ]; then rm -rf -- "$2"; fi
            if [ "$1" != - ]; then
              n=0
              until rmdir "$1"/*/ "$1" || [ $n -gt 50 ] || [ ! -d "$1" ]; do n=$((n+1)); sleep 0.1; done
            fi
            """;

    private final List<String> command;
    private final Set<Long> sessions = new HashSet<>();
    private Process process;
    private boolean closed;

    private Guard(List<String> command) {
        this.command = command;
    }

    /// @param remove directory to delete at the supervisor's death; it must hold a file `.tombolo-run`
    static Guard start(KillGroups groups, Optional<Path> remove) {
        List<String> command = new ArrayList<>(List.of("setsid", "/bin/sh", "-c", SCRIPT, "tombolo-guard"));
        command.add(groups.parent().map(Path::toString).orElse("-"));
        command.add(requireNonNull(remove, "remove is null").map(Path::toString).orElse("-"));
        Guard guard = new Guard(command);
        guard.launch();
        return guard;
    }

    private synchronized void launch() {
        try {
            process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        } catch (IOException e) {
            throw TomboloException.error(ClusterError.PROCESS_START_FAILED, "the supervisor's guard cannot be started")
                    .fact("cause", e).next("check that /bin/sh and setsid are there").cause(e).build();
        }
        sessions.forEach(session -> write("+ " + session));
        CompletableFuture<Void> _ = process.onExit().thenRun(this::ended);
    }

    /// A guard that somebody killed is replaced: without it a dying supervisor would leave its children.
    private synchronized void ended() {
        if (!closed) {
            LOG.warn("the guard of the supervisor ended and is started again");
            try {
                launch();
            } catch (TomboloException e) {
                LOG.error("the supervisor has no guard: if it dies, what it started lives on", e);
            }
        }
    }

    long pid() {
        return process.pid();
    }

    /// The leader of this session is to be killed as well.
    synchronized void add(long session) {
        if (sessions.add(session)) {
            write("+ " + session);
        }
    }

    /// The session has ended; its number may come to mean another one.
    synchronized void remove(long session) {
        if (sessions.remove(session)) {
            write("- " + session);
        }
    }

    private void write(String line) {
        try {
            OutputStream pipe = process.getOutputStream();
            pipe.write((line + "\n").getBytes(UTF_8));
            pipe.flush();
        } catch (IOException e) {
            // It has ended; the next one is told everything.
            LOG.debug("the guard took no line", e);
        }
    }

    /// An orderly end: kills nothing.
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            write(".");
            try {
                process.getOutputStream().close();
                process.waitFor();
            } catch (IOException e) {
                LOG.debug("the guard's pipe was closed already", e);
            } catch (InterruptedException _) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
