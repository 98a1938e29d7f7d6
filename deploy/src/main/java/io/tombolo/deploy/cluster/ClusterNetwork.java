package io.tombolo.deploy.cluster;

import java.util.List;

/// Where the processes of a local cluster listen and by which names they find each other. [#LOOPBACK] is what every
/// cluster has; a chaos run puts proxies or network namespaces between the processes.
public interface ClusterNetwork {
    /// What a port is for.
    enum Port {
        /// Requests to an agent or a coordinator.
        RPC,
        /// ZooKeeper: clients.
        CLIENT,
        /// ZooKeeper: followers of the leader.
        PEER,
        /// ZooKeeper: election.
        ELECTION
    }

    /// All on 127.0.0.1, at free ports.
    ClusterNetwork LOOPBACK = new ClusterNetwork() {
        private static final String ADDRESS = "127.0.0.1";

        @Override
        public String bind(String process) {
            return ADDRESS;
        }

        @Override
        public String name(String process) {
            return ADDRESS;
        }

        @Override
        public String fromOutside(String process) {
            return ADDRESS;
        }

        @Override
        public int port(Port port) {
            return 0;
        }

        @Override
        public List<String> command(String process, List<String> command) {
            return command;
        }
    };

    /// Address at which the process of that name listens.
    String bind(String process);

    /// Name or address by which the other processes of the cluster reach it.
    String name(String process);

    /// Address by which who is no process of the cluster reaches it.
    String fromOutside(String process);

    /// Port to listen on, the same for all processes; 0 for a free one of each process.
    int port(Port port);

    /// The connection string by which an agent reaches the servers that others of the cluster reach at `connect`. Asked
    /// once for every agent.
    default String zooKeeper(String process, String connect) {
        return connect;
    }

    /// The command line of the process, with what it needs to live in this network.
    List<String> command(String process, List<String> command);
}
