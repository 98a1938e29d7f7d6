package io.tombolo.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.chaos.proxy.LinkPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two processes in namespaces: one says a number every 20 ms on a connection that it keeps, the other prints what it
/// hears. Only root can make namespaces; anybody else uses the proxy.
class NamespaceNetworkTest {
    private static final String LISTENER = """
            void main(String[] a) throws Exception {
                try (var server = new java.net.ServerSocket(7401, 1, java.net.InetAddress.getByName(a[0]));
                        var in = server.accept().getInputStream()) {
                    for (int b = in.read(); b >= 0; b = in.read()) {
                        System.out.println(b);
                    }
                }
            }
            """;
    private static final String TALKER = """
            void main(String[] a) throws Exception {
                java.net.Socket socket = null;
                while (socket == null) {
                    try {
                        socket = new java.net.Socket(a[0], 7401);
                    } catch (java.io.IOException e) {
                        java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
                    }
                }
                for (int i = 0;; i++) {
                    socket.getOutputStream().write(i & 127);
                    java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
                }
            }
            """;

    @Test
    void cutsAConnectionThatIsThereAndLetsItGoOnWhenItIsHealed(@TempDir Path directory) throws IOException {
        assertThat(NamespaceNetwork.available()).as("root, and ip(8)").isTrue();
        String name = "chaos-" + ProcessHandle.current().pid() + "-nt";
        List<Process> processes = new ArrayList<>();
        List<String> heard = java.util.Collections.synchronizedList(new ArrayList<>());
        try (NamespaceNetwork network = NamespaceNetwork.start(List.of("host-1", "host-2"), name)) {
            try {
                Process listener = start(network, "host-1", directory, "Listener", LISTENER, network.bind("host-1"));
                processes.add(listener);
                Thread.ofVirtual().start(() -> new BufferedReader(
                        new InputStreamReader(listener.getInputStream(), StandardCharsets.UTF_8)).lines()
                        .forEach(heard::add));
                processes.add(start(network, "host-2", directory, "Talker", TALKER, network.name("host-1")));
                await().atMost(Duration.ofSeconds(30)).until(() -> heard.size() > 5);

                network.set("host-2", "host-1", LinkPolicy.HELD);
                await("silence").atMost(Duration.ofSeconds(10)).pollInterval(Duration.ofMillis(400))
                        .until(new Silence(heard)::since);
                int before = heard.size();
                network.set("host-2", "host-1", LinkPolicy.OPEN);
                await("what was sent meanwhile").atMost(Duration.ofSeconds(30)).until(() -> heard.size() > before + 10);
                for (int i = 1; i < heard.size(); i++) {
                    assertThat(Integer.parseInt(heard.get(i))).isEqualTo(Integer.parseInt(heard.get(i - 1)) + 1 & 127);
                }
            } finally {
                processes.forEach(Process::destroyForcibly);
                processes.forEach(process -> process.onExit().join());
            }
        }
        assertThat(Files.exists(Path.of("/run/netns", name + "-host-1"))).isFalse();
    }

    /// Nothing was heard since the last question.
    private static final class Silence {
        private final List<String> heard;
        private int last = -1;

        Silence(List<String> heard) {
            this.heard = heard;
        }

        boolean since() {
            boolean silent = heard.size() == last;
            last = heard.size();
            return silent;
        }
    }

    private static Process start(NamespaceNetwork network, String process, Path directory, String program,
            String source, String argument) throws IOException {
        Path file = Files.writeString(directory.resolve(program + ".java"), source);
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", file.toString(), argument);
        return new ProcessBuilder(network.command(process, command)).redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
