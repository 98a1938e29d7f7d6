package io.tombolo.deploy.cli;

import static io.tombolo.deploy.cli.DoctorLine.fail;
import static io.tombolo.deploy.cli.DoctorLine.ok;
import static io.tombolo.deploy.cli.DoctorLine.warn;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The part of `doctor` that asks ZooKeeper servers how they are, by the `srvr` command, which servers answer by
/// default (ZooKeeper Administrator's Guide, "The Four Letter Words").
final class DoctorZooKeeper {
    private static final int TIMEOUT_MS = 2_000;
    private static final int ANSWER_BYTES = 4_096;

    private DoctorZooKeeper() {
    }

    /// One line per server; then one for the ensemble, which needs a majority.
    static List<DoctorLine> look(String servers) {
        List<DoctorLine> lines = new ArrayList<>();
        String[] addresses = servers.split(",", -1);
        int serving = 0;
        for (String address : addresses) {
            DoctorLine line = ask(address);
            serving += line.verdict() == DoctorLine.Verdict.OK ? 1 : 0;
            lines.add(line);
        }
        lines.add(ensemble(serving, addresses.length));
        return lines;
    }

    static DoctorLine ensemble(int serving, int servers) {
        String found = serving + " of " + servers + " servers serve";
        if (serving * 2 <= servers) {
            return fail("zookeeper ensemble", found, "start a majority of the servers, or correct --zookeeper");
        }
        return serving < servers
                ? warn("zookeeper ensemble", found, "start the others: the next failure may stop planned moves")
                : ok("zookeeper ensemble", found);
    }

    private static DoctorLine ask(String address) {
        String check = "zookeeper " + address;
        int colon = address.lastIndexOf(':');
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address.substring(0, colon),
                    Integer.parseInt(address.substring(colon + 1))), TIMEOUT_MS);
            socket.setSoTimeout(TIMEOUT_MS);
            socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readNBytes(ANSWER_BYTES), StandardCharsets.UTF_8);
            return answer(check, answer);
        } catch (UnknownHostException e) {
            return warn(check, "the name does not resolve", "correct --zookeeper or the name service");
        } catch (IOException | IllegalArgumentException e) {
            return warn(check, "no connection: " + e.getMessage(), "start the server, or correct --zookeeper");
        }
    }

    static DoctorLine answer(String check, String answer) {
        String mode = field(answer, "Mode: ");
        if (mode.isEmpty()) {
            return warn(check, "not serving: " + answer.lines().findFirst().orElse("no answer"),
                    "look at the server's log, and at 4lw.commands.whitelist if it forbids srvr");
        }
        String version = field(answer, "Zookeeper version: ");
        return ok(check, mode + ", version " + version.split("[-,]", 2)[0]);
    }

    private static String field(String answer, String name) {
        return answer.lines().filter(l -> l.startsWith(name)).map(l -> l.substring(name.length()).strip()).findFirst()
                .orElse("");
    }
}
