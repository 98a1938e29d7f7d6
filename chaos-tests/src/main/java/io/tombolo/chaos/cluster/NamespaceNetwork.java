package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.ChaosError;
import io.tombolo.chaos.proxy.LinkPolicy;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every process in a network namespace of its own with an address of 198.18.0.0/15, all on one bridge; this process is
/// outside and reaches all of them. Needs root, ip(8) and nsenter(1), and neither iptables nor netem: what is cut is
/// dropped by the receiver's policy routing (`from <sender> blackhole`), silently and for connections that are there
/// too.
///
/// The kernel's own TCP is between the processes, so a cut loses packets, and what was sent comes when its sender
/// sends it again. Slow links and half-open connections there are none.
public final class NamespaceNetwork implements FaultNetwork {
    private static final Logger LOG = LoggerFactory.getLogger(NamespaceNetwork.class);
    private static final Path NETNS = Path.of("/run/netns");
    static final Path LINKS = Path.of("/sys/class/net");
    private static final Pattern NAME = Pattern.compile("chaos-([0-9]+)-.*");
    private static final Pattern LINK = Pattern.compile("tb([0-9a-z]+)x(br|[0-9]+)");
    private static final int RADIX = 36;
    private static final int BLOCKS = 512;
    private static final int OUTSIDE = 254;
    /// Before the table of local addresses, which is moved behind it.
    private static final String CUT_PREF = "10";
    private static final int RPC_PORT = 7401;
    private static final int CLIENT_PORT = 2181;
    private static final int PEER_PORT = 2888;
    private static final int ELECTION_PORT = 3888;

    private record Way(String from, String to) {
    }

    private final List<String> processes;
    private final String name;
    private final String links;
    private final String subnet;
    private final Map<Way, LinkPolicy> policies = new HashMap<>();

    private NamespaceNetwork(List<String> processes, String name, String subnet) {
        this.processes = List.copyOf(processes);
        this.name = name;
        this.subnet = subnet;
        this.links = links(ProcessHandle.current().pid());
    }

    /// How the names of the links begin that the process of that pid makes; they are limited to 15 characters.
    static String links(long pid) {
        return "tb" + Long.toString(pid, RADIX) + "x";
    }

    /// Whether this process may make namespaces, and has what it needs for it.
    public static boolean available() {
        String probe = "chaos-" + ProcessHandle.current().pid() + "-probe";
        try {
            ip("netns", "add", probe);
            ip("netns", "del", probe);
            return true;
        } catch (TomboloException _) {
            return false;
        }
    }

    /// Makes them.
    ///
    /// @param name of the cluster; namespaces are called after it
    /// @throws TomboloException CHAOS_NETWORK
    public static NamespaceNetwork start(List<String> processes, String name) {
        requireNonNull(name, "name is null");
        removeDead();
        int block = new SplittableRandom().nextInt(BLOCKS);
        NamespaceNetwork network = new NamespaceNetwork(processes, name,
                "198." + (18 + block / 256) + "." + block % 256 + ".");
        boolean ok = false;
        try {
            network.open();
            ok = true;
            return network;
        } finally {
            if (!ok) {
                network.close();
            }
        }
    }

    /// What runs whose process was killed have left: their processes are dead, but nobody took their namespaces away.
    private static void removeDead() {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(NETNS, "chaos-*")) {
            for (Path namespace : all) {
                Matcher matcher = NAME.matcher(namespace.getFileName().toString());
                if (matcher.matches() && !Linux.kill(Long.parseLong(matcher.group(1)), 0)) {
                    ip("netns", "del", namespace.getFileName().toString());
                }
            }
        } catch (NoSuchFileException _) {
            // There has never been one on this machine.
        } catch (IOException e) {
            throw failed("the namespaces cannot be listed", e.toString());
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(LINKS, "tb*")) {
            for (Path link : all) {
                Matcher matcher = LINK.matcher(link.getFileName().toString());
                if (matcher.matches() && !Linux.kill(Long.parseLong(matcher.group(1), RADIX), 0)) {
                    removed("link", "del", link.getFileName().toString());
                }
            }
        } catch (IOException e) {
            throw failed("the links cannot be listed", e.toString());
        }
    }

    private void open() {
        ip("link", "add", links + "br", "type", "bridge");
        ip("addr", "add", subnet + OUTSIDE + "/24", "dev", links + "br");
        ip("link", "set", links + "br", "up");
        for (String process : processes) {
            String namespace = namespace(process);
            String link = links + number(process);
            ip("netns", "add", namespace);
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace);
            ip("link", "set", link, "master", links + "br", "up");
            ip("-n", namespace, "link", "set", "lo", "up");
            ip("-n", namespace, "link", "set", "eth0", "up");
            ip("-n", namespace, "addr", "add", bind(process) + "/24", "dev", "eth0");
            ip("-n", namespace, "rule", "add", "pref", "100", "lookup", "local");
            ip("-n", namespace, "rule", "del", "pref", "0");
        }
    }

    private static void ip(String... arguments) {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (process.waitFor() != 0) {
                throw failed(String.join(" ", command), said);
            }
        } catch (IOException e) {
            throw failed(String.join(" ", command), e.toString());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw failed(String.join(" ", command), "interrupted");
        }
    }

    private static TomboloException failed(String command, String said) {
        return TomboloException.error(ChaosError.CHAOS_NETWORK, "the network namespaces cannot be made or changed")
                .fact("command", command).fact("said", said)
                .next("run as root with ip(8) of iproute2 and nsenter(1), or use --network proxy").build();
    }

    private int number(String process) {
        int index = processes.indexOf(process);
        if (index < 0) {
            throw new IllegalArgumentException("no process of this network: " + process);
        }
        return index + 1;
    }

    private String namespace(String process) {
        return name + "-" + process;
    }

    @Override
    public List<String> processes() {
        return processes;
    }

    @Override
    public String bind(String process) {
        return subnet + number(process);
    }

    @Override
    public String name(String process) {
        return bind(process);
    }

    @Override
    public String fromOutside(String process) {
        return bind(process);
    }

    @Override
    public String forClients(String host) {
        return bind(host);
    }

    @Override
    public int port(Port port) {
        return switch (port) {
            case RPC -> RPC_PORT;
            case CLIENT -> CLIENT_PORT;
            case PEER -> PEER_PORT;
            case ELECTION -> ELECTION_PORT;
        };
    }

    @Override
    public List<String> command(String process, List<String> command) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + NETNS.resolve(namespace(process))));
        all.addAll(command);
        return all;
    }

    @Override
    public synchronized void set(String from, String to, LinkPolicy policy) {
        if (!policy.held() && !policy.equals(LinkPolicy.OPEN)) {
            throw new IllegalArgumentException("links between namespaces are open or cut: " + policy);
        }
        LinkPolicy before = policies.put(new Way(from, to), policy);
        if ((before != null && before.held()) != policy.held()) {
            ip("-n", namespace(to), "rule", policy.held() ? "add" : "del", "pref", CUT_PREF, "from", bind(from),
                    "blackhole");
        }
    }

    @Override
    public synchronized LinkPolicy policy(String from, String to) {
        return policies.getOrDefault(new Way(from, to), LinkPolicy.OPEN);
    }

    @Override
    public boolean shapes() {
        return false;
    }

    @Override
    public int halfOpen(String from, String to) {
        throw new UnsupportedOperationException("connections between namespaces are the kernel's");
    }

    @Override
    public void endHalfOpen() {
        // There are none.
    }

    @Override
    public int reset(String from, String to) {
        throw new UnsupportedOperationException("connections between namespaces are the kernel's");
    }

    @Override
    public synchronized void heal() {
        List.copyOf(policies.keySet()).forEach(way -> set(way.from(), way.to(), LinkPolicy.OPEN));
    }

    /// Removes them; the processes in them must have ended.
    @Override
    public void close() {
        for (String process : processes) {
            removed("link", "del", links + number(process));
            removed("netns", "del", namespace(process));
        }
        removed("link", "del", links + "br");
    }

    /// Whether it was there makes no difference: it may be one of those that were not made any more.
    private static void removed(String... arguments) {
        try {
            ip(arguments);
        } catch (TomboloException e) {
            LOG.debug("not removed: {}", e.getMessage());
        }
    }
}
