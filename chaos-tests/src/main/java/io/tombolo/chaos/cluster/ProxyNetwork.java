package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.ChaosError;
import io.tombolo.chaos.proxy.FaultProxy;
import io.tombolo.chaos.proxy.LinkPolicy;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Processes on loopback with a [FaultProxy] on every link, without any rights: the process number n listens at
/// 127.B.0.n, and number m reaches it at 127.B.m.n, where the proxy listens. B is chosen anew for every cluster. That
/// every process finds another address behind the same name is the work of the JDK: each is started with a hosts file
/// of its own (`jdk.net.hosts.file`). So ZooKeeper's servers too reach each other through the proxy, for the address
/// that they tell each other for elections is a name.
public final class ProxyNetwork implements FaultNetwork {
    private static final int TRIES = 50;
    private static final int RPC_PORT = 7401;
    private static final int CLIENT_PORT = 2181;
    private static final int PEER_PORT = 2888;
    private static final int ELECTION_PORT = 3888;

    private final List<String> nodes;
    private final Path directory;
    private final int block;
    private final FaultProxy proxy;

    private ProxyNetwork(List<String> nodes, Path directory, int block, long seed) {
        this.nodes = nodes;
        this.directory = directory;
        this.block = block;
        this.proxy = new FaultProxy(seed);
    }

    /// Starts the proxies.
    ///
    /// @param processes names of all processes of the cluster
    /// @param directory for the hosts files; the caller deletes it
    /// @param seed      of delays and losses
    /// @throws TomboloException CHAOS_NETWORK
    public static ProxyNetwork start(List<String> processes, Path directory, long seed) {
        List<String> nodes = new ArrayList<>(processes);
        nodes.add(CLIENT);
        SplittableRandom random = new SplittableRandom();
        for (int i = 0; i < TRIES; i++) {
            int block = 1 + random.nextInt(254);
            if (isFree(block)) {
                ProxyNetwork network = new ProxyNetwork(List.copyOf(nodes), requireNonNull(directory), block, seed);
                try {
                    network.open();
                    return network;
                } catch (IOException | RuntimeException e) {
                    network.close();
                    if (i + 1 == TRIES || e instanceof IOException) {
                        throw TomboloException.error(ChaosError.CHAOS_NETWORK, "the proxies cannot be started")
                                .fact("cause", e).next("look at who listens on 127.0.0.0/8").cause(e).build();
                    }
                }
            }
        }
        throw TomboloException.error(ChaosError.CHAOS_NETWORK, "no block of loopback addresses is free")
                .next("look at who listens on 127.0.0.0/8 with `ss -ltn`").build();
    }

    private static boolean isFree(int block) {
        try (ServerSocket probe = new ServerSocket(RPC_PORT, 1, InetAddress.getByName("127." + block + ".0.1"))) {
            return probe.isBound();
        } catch (IOException _) {
            return false;
        }
    }

    private void open() throws IOException {
        for (String to : nodes) {
            for (String from : nodes) {
                if (!from.equals(to)) {
                    for (Port port : ports(from, to)) {
                        proxy.listen(from, to, new InetSocketAddress(link(from, to), port(port)),
                                new InetSocketAddress(bind(to), port(port)));
                    }
                }
            }
        }
        for (String process : processes()) {
            StringBuilder hosts = new StringBuilder("127.0.0.1 localhost\n");
            for (String other : nodes) {
                hosts.append(other.equals(process) ? bind(process) : link(process, other)).append(' ').append(other)
                        .append('\n');
            }
            hosts.append("127.0.0.1 ").append(InetAddress.getLocalHost().getHostName()).append('\n');
            Files.writeString(hostsFile(process), hosts);
        }
    }

    /// What one kind of process wants of another.
    private static List<Port> ports(String from, String to) {
        if (to.startsWith("zookeeper-")) {
            return from.startsWith("zookeeper-")
                    ? List.of(Port.PEER, Port.ELECTION)
                    : from.equals(CLIENT) ? List.of() : List.of(Port.CLIENT);
        }
        boolean agent = !to.startsWith("coordinator-") && !to.equals(CLIENT);
        return agent && !from.startsWith("zookeeper-") ? List.of(Port.RPC) : List.of();
    }

    private Path hostsFile(String process) {
        return directory.resolve(process + ".hosts");
    }

    private int number(String process) {
        int index = nodes.indexOf(process);
        if (index < 0) {
            throw new IllegalArgumentException("no process of this network: " + process);
        }
        return index + 1;
    }

    private String link(String from, String to) {
        return "127." + block + "." + number(from) + "." + number(to);
    }

    @Override
    public List<String> processes() {
        return nodes.subList(0, nodes.size() - 1);
    }

    @Override
    public String bind(String process) {
        return "127." + block + ".0." + number(process);
    }

    @Override
    public String name(String process) {
        return process;
    }

    @Override
    public String fromOutside(String process) {
        return bind(process);
    }

    @Override
    public String forClients(String host) {
        return link(CLIENT, host);
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
        List<String> all = new ArrayList<>(command);
        all.add(1, "-Djdk.net.hosts.file=" + hostsFile(process));
        return all;
    }

    @Override
    public void set(String from, String to, LinkPolicy policy) {
        proxy.set(from, to, policy);
    }

    @Override
    public LinkPolicy policy(String from, String to) {
        return proxy.policy(from, to);
    }

    @Override
    public void endHalfOpen() {
        proxy.endHalfOpen();
    }

    @Override
    public int halfOpen(String from, String to) {
        return proxy.halfOpen(from, to);
    }

    @Override
    public int reset(String from, String to) {
        return proxy.reset(from, to);
    }

    @Override
    public void heal() {
        proxy.heal();
    }

    @Override
    public boolean shapes() {
        return true;
    }

    @Override
    public void close() {
        proxy.close();
    }
}
