package io.tombolo.deploy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tombolo.region.ErrorCode;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Map;

/// What goes over the supervisor's UNIX socket: one request and one reply per connection, each a line of JSON. The
/// socket is in the run's directory, which only its owner may enter.
final class ControlProtocol {
    /// Name of the socket in the run's directory.
    static final String SOCKET = "control.sock";

    /// Facts of 64 hosts are some tens of KiB.
    private static final int LINE_BYTES_MAX = 1 << 20;

    enum Operation {
        FACTS, SIGNAL, SIGNAL_GROUP, KILL, RESTART, AWAIT_STOPPED, DOWN
    }

    /// @param process empty where none is meant
    /// @param argument signal number or milliseconds
    record Request(Operation operation, String process, long argument) {
        Request {
            requireNonNull(operation, "operation is null");
            requireNonNull(process, "process is null");
        }
    }

    /// One of `facts`, `stopped` and `error` is set, or none for a bare yes.
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Reply(ClusterFacts facts, StopRecord stopped, Failure error) {
        static final Reply DONE = new Reply(null, null, null);
    }

    /// An error as it crosses the socket and the border between two processes.
    record Failure(String code, int exitStatus, String what, Map<String, String> facts, String next) {
        static Failure of(TomboloException e) {
            return new Failure(e.code().name(), e.code().exitStatus(), e.what(), e.facts(), e.next());
        }

        TomboloException toException() {
            TomboloException.Builder error = TomboloException.error(new ForeignCode(code, exitStatus), what);
            facts.forEach(error::fact);
            return error.next(next).build();
        }
    }

    /// The code of an error that another process found.
    record ForeignCode(String name, int exitStatus) implements ErrorCode {
    }

    private ControlProtocol() {
    }

    static void write(SocketChannel channel, Object message) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((Json.line(message) + "\n").getBytes(UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// Reads one line.
    static <T> T read(SocketChannel channel, Class<T> type) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        while (bytes.position() == 0 || bytes.get(bytes.position() - 1) != '\n') {
            if (!bytes.hasRemaining()) {
                if (bytes.capacity() >= LINE_BYTES_MAX) {
                    throw new IOException("a line of more than " + LINE_BYTES_MAX + " bytes");
                }
                bytes = ByteBuffer.allocate(2 * bytes.capacity()).put(bytes.flip());
            }
            if (channel.read(bytes) < 0) {
                throw new IOException("the other end closed in the middle of a line");
            }
        }
        return Json.parse(new String(bytes.array(), 0, bytes.position(), UTF_8), type);
    }
}
