package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `tombolo pages`.
@Command(name = "pages", description = "Show where the pages of a VM are, move them between tiers while it runs, pin them.", subcommands = {
        PagesCommand.Query.class, PagesCommand.Move.class, PagesCommand.Pin.class, PagesCommand.Unpin.class})
final class PagesCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// What the commands about pages share: a VM, ranges of its pages, a cluster.
    abstract static class Base implements Runnable {
        @Parameters(index = "0", paramLabel = "VM", description = "Name of the VM.")
        String vm;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = "RANGE", description = "Pages: 5, 0-1023, 4096+512 or all.")
        List<String> texts;

        @Mixin
        ClusterMixin cluster;

        @Mixin
        OutputMixin output;

        private final Services services;

        Base(Services services) {
            this.services = requireNonNull(services, "services is null");
        }

        @Override
        public final void run() {
            List<PageRange> asked = texts.stream().map(PageRange::parse).toList();
            check();
            try (ClusterConnection connection = services.connect(cluster.target())) {
                VmPagesClient client = VmPagesClient.of(connection, vm);
                run(client, client.ranges(asked));
            }
        }

        /// Options, before anything is asked.
        void check() {
            // none
        }

        /// @param ranges inside the VM
        abstract void run(VmPagesClient client, List<PageRange> ranges);

        Map<String, Object> json(VmStatus status) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("vm", vm);
            json.put("host", status.ownerHost());
            json.put("pages", status.spec().pages());
            json.put("pageBytes", status.pageBytes());
            return json;
        }
    }

    /// `tombolo pages query VM RANGE...`.
    @Command(name = "query", description = "Show the tier of pages, whether they were accessed and written on their host, and pins.")
    static final class Query extends Base {
        Query(Services services) {
            super(services);
        }

        @Override
        void run(VmPagesClient client, List<PageRange> ranges) {
            PageRunList runs = new PageRunList();
            ranges.forEach(range -> client.move(range, AgentRequest.MovePages.QUERY, runs));
            List<Reply.PinnedRange> pins = client.pins();
            Map<String, Object> json = json(client.vm());
            json.put("runs", runs.runs());
            json.put("pins", pins);
            output.print(json, () -> runs.runs().stream().map(run -> run.text() + "\n").collect(Collectors.joining())
                    + pinLines(pins));
        }
    }

    /// `tombolo pages move VM RANGE... --to TIER`.
    @Command(name = "move", description = {"Move pages to a tier while the VM runs.",
            "Ends with 3 if a page is not there afterwards; the others are."})
    static final class Move extends Base {
        private static final List<String> TIERS = List.of("shared", "local");

        @Option(names = "--to", paramLabel = "TIER", required = true, description = "shared or local.")
        private String to;

        Move(Services services) {
            super(services);
        }

        @Override
        void check() {
            Options.check(TIERS.contains(to), "--to", to, String.join(", ", TIERS));
        }

        @Override
        void run(VmPagesClient client, List<PageRange> ranges) {
            int tier = to.equals("local") ? PageStatus.LOCAL : PageStatus.SHARED;
            Map<String, Long> notMoved = new TreeMap<>();
            long[] moved = new long[1];
            ranges.forEach(range -> client.move(range, tier, (page, status, _) -> {
                if (status == tier) {
                    moved[0]++;
                } else {
                    notMoved.merge(PageStatus.text(status), 1L, Long::sum);
                }
            }));
            Map<String, Object> json = json(client.vm());
            json.put("tier", to);
            json.put("moved", moved[0]);
            json.put("notMoved", notMoved);
            long stayed = notMoved.values().stream().mapToLong(Long::longValue).sum();
            output.print(json, () -> moved[0] + " pages are " + to + "\n"
                    + (stayed == 0 ? "" : stayed + " did not move: " + text(notMoved) + "\n"));
            if (stayed > 0) {
                throw TomboloException.error(DeployError.PAGES_NOT_MOVED, "not all pages moved").fact("vm", vm)
                        .fact("tier", to).fact("moved", moved[0]).fact("notMoved", stayed)
                        .fact("errnos", notMoved.keySet().stream().collect(Collectors.joining(",")))
                        .next(next(notMoved)).build();
            }
        }

        private static String text(Map<String, Long> notMoved) {
            return notMoved.entrySet().stream().map(entry -> entry.getKey() + " " + entry.getValue())
                    .collect(Collectors.joining(", "));
        }

        private static String next(Map<String, Long> notMoved) {
            return notMoved.containsKey("ENOMEM")
                    ? "make room (tombolo tier list) and give the command again"
                    : "give the command again; 'tombolo pages query' shows pins";
        }
    }

    /// `tombolo pages pin VM RANGE...`.
    @Command(name = "pin", description = "Keep pages on the tier they are on, also across a hand-off, until they are unpinned.")
    static final class Pin extends Base {
        Pin(Services services) {
            super(services);
        }

        @Override
        void run(VmPagesClient client, List<PageRange> ranges) {
            pin(this, client, ranges, true);
        }
    }

    /// `tombolo pages unpin VM RANGE...`.
    @Command(name = "unpin", description = "Take one pin away from exactly these ranges.")
    static final class Unpin extends Base {
        Unpin(Services services) {
            super(services);
        }

        @Override
        void run(VmPagesClient client, List<PageRange> ranges) {
            pin(this, client, ranges, false);
        }
    }

    private static void pin(Base command, VmPagesClient client, List<PageRange> ranges, boolean pin) {
        ranges.forEach(range -> client.pin(range, pin));
        List<Reply.PinnedRange> pins = client.pins();
        Map<String, Object> json = command.json(client.vm());
        json.put("pins", pins);
        command.output.print(json, () -> pins.isEmpty() ? "no page is pinned\n" : pinLines(pins));
    }

    private static String pinLines(List<Reply.PinnedRange> pins) {
        return pins.stream()
                .map(range -> "pinned " + PageRange.text(range.firstPage(), range.count())
                        + (range.pins() > 1 ? " " + range.pins() + " times" : "") + "\n")
                .collect(Collectors.joining());
    }
}
