package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ProcessRole;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.RunningCluster;
import io.tombolo.region.TomboloException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `tombolo fence-local`: the fence agent of a local cluster, for drills. The calling convention is that of the
/// fence-agents package (fence-agents/doc/FenceAgentAPI.md): options as `name=value` lines on standard input, `#`
/// begins a comment; `action` off, status, monitor or metadata; exit status 0 for success, 1 for failure; of status 0
/// for on and 2 for off.
///
/// | option | meaning |
/// |---|---|
/// | `action` | off, status, monitor, metadata |
/// | `plug` or `port` | name of the host |
/// | `cluster` | name of the local cluster, or path of its control socket (default) |
///
/// `on` and `reboot` are refused: fencing never starts anything.
@Command(name = "fence-local", hidden = true, description = "Fence agent of a local cluster.")
final class FenceLocalCommand implements Callable<Integer> {
    private static final int SUCCESS = 0;
    private static final int FAILURE = 1;
    private static final int IS_OFF = 2;

    private static final String METADATA = """
            <?xml version="1.0" ?>
            <resource-agent name="tombolo fence-local" shortdesc="Fence agent of a local Tombolo cluster">
            <longdesc>Kills the kill group of a host of a local cluster through its supervisor.</longdesc>
            <parameters>
            <parameter name="action" required="1"><content type="string" default="off"/></parameter>
            <parameter name="plug" required="1"><content type="string"/></parameter>
            <parameter name="cluster" required="0"><content type="string" default="default"/></parameter>
            </parameters>
            <actions>
            <action name="off"/>
            <action name="status"/>
            <action name="monitor"/>
            <action name="metadata"/>
            </actions>
            </resource-agent>
            """;

    @Spec
    private CommandSpec spec;

    private final Services services;

    FenceLocalCommand(Services services) {
        this.services = requireNonNull(services, "services is null");
    }

    @Override
    public Integer call() {
        try {
            return perform(options());
        } catch (TomboloException e) {
            // Whatever it is, the convention knows one exit status for it.
            return failure(e.getMessage());
        } catch (IOException e) {
            return failure("the options cannot be read: " + e.getMessage());
        }
    }

    private static Map<String, String> options() throws IOException {
        Map<String, String> options = new HashMap<>();
        // Not closed: standard input is not ours.
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String text = line.strip();
            int equals = text.indexOf('=');
            if (!text.startsWith("#") && equals > 0) {
                options.put(text.substring(0, equals).strip(), text.substring(equals + 1).strip());
            }
        }
        return options;
    }

    private int perform(Map<String, String> options) {
        String action = options.getOrDefault("action", "");
        String host = options.getOrDefault("plug", options.getOrDefault("port", ""));
        return switch (action) {
            case "metadata" -> {
                spec.commandLine().getOut().print(METADATA);
                spec.commandLine().getOut().flush();
                yield SUCCESS;
            }
            case "monitor" -> services.running(cluster(options)).facts().up() ? SUCCESS : FAILURE;
            case "status" -> isOff(services.running(cluster(options)), host) ? IS_OFF : SUCCESS;
            case "off" -> off(services.running(cluster(options)), host);
            default -> failure("action=" + action + " is not one of off, status, monitor, metadata");
        };
    }

    private static String cluster(Map<String, String> options) {
        return options.getOrDefault("cluster", "default");
    }

    private int off(RunningCluster cluster, String host) {
        if (!isOff(cluster, host)) {
            cluster.kill(host);
        }
        return isOff(cluster, host) ? SUCCESS : failure(host + " has not stopped");
    }

    private static boolean isOff(RunningCluster cluster, String host) {
        ClusterFacts facts = cluster.facts();
        return facts.processes().stream().filter(p -> p.role() == ProcessRole.AGENT && p.name().equals(host))
                .findFirst().map(p -> p.state() == ProcessState.STOPPED).orElseThrow(() -> Options.invalid("plug", host,
                        "a host of the cluster " + facts.name()));
    }

    private int failure(String text) {
        spec.commandLine().getErr().println(text);
        spec.commandLine().getErr().flush();
        return FAILURE;
    }
}
