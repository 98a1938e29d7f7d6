package io.tombolo.deploy.cli;

import io.tombolo.deploy.report.TextTable;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.Region;
import io.tombolo.region.RegionInfo;
import io.tombolo.region.RegionLayout;
import io.tombolo.region.Superblock;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `tombolo region`.
@Command(name = "region", description = "Format a region file and look into one.", subcommands = {
        RegionCommand.Format.class, RegionInspectCommand.class, RegionVerifyCommand.class,
        RegionCommand.Layout.class})
final class RegionCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// `tombolo region format FILE`.
    @Command(name = "format", description = {"Make a region: the memory that the hypervisors of a cluster share.",
            "Refuses if there is one, or any other file."})
    static final class Format implements Runnable {
        @Parameters(paramLabel = "FILE", description = "The region file, on tmpfs, hugetlbfs or a DAX file system.")
        private Path file;

        @Option(names = "--size", paramLabel = "SIZE", required = true, converter = SizeConverter.class, description = "Room for guest memory and page tables.")
        private long dataBytes;

        @Option(names = "--cluster-uuid", paramLabel = "UUID", description = "The cluster that it belongs to (a new one).")
        private UUID clusterUuid;

        @Option(names = "--host-slots", paramLabel = "N", defaultValue = "64", description = "Hosts it has places for (${DEFAULT-VALUE}).")
        private int hostSlots;

        @Option(names = "--vm-slots", paramLabel = "N", defaultValue = "64", description = "VMs it has places for (${DEFAULT-VALUE}).")
        private int vmSlots;

        @Option(names = "--metadata-slot", paramLabel = "SIZE", defaultValue = "1M", converter = SizeConverter.class, description = "Room for the state of one VM apart from memory (${DEFAULT-VALUE}).")
        private long metadataSlotBytes;

        @Option(names = "--force", description = "Overwrite a region, or another file, that is there.")
        private boolean force;

        @Option(names = "--no-reserve", description = "Take room from the file system only when it is used.")
        private boolean noReserve;

        @Mixin
        private OutputMixin output;

        @Override
        public void run() {
            Options.check(metadataSlotBytes <= 1 << 30, "--metadata-slot", metadataSlotBytes, "at most 1G");
            FormatOptions options = FormatOptions.of(clusterUuid == null ? UUID.randomUUID() : clusterUuid, dataBytes)
                    .withHostSlots(hostSlots).withVmSlots(vmSlots).withMetadataSlotBytes((int) metadataSlotBytes)
                    .withForce(force).withReserve(!noReserve);
            RegionInfo info = Region.format(file, options);
            Map<String, Object> facts = facts(info);
            output.print(facts, () -> Views.lines(facts.entrySet().stream()
                    .flatMap(e -> List.of(e.getKey(), e.getValue()).stream()).toArray()));
        }

        private static Map<String, Object> facts(RegionInfo info) {
            Superblock superblock = info.superblock();
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("file", info.file().toString());
            facts.put("regionUuid", superblock.regionUuid());
            facts.put("clusterUuid", superblock.clusterUuid());
            facts.put("format", superblock.major() + "." + superblock.minor());
            facts.put("fileBytes", superblock.fileBytes());
            facts.put("frames", superblock.frameCount());
            facts.put("hostSlots", superblock.hostSlots());
            facts.put("vmSlots", superblock.vmSlots());
            return facts;
        }
    }

    /// `tombolo region layout`.
    @Command(name = "layout", description = "Print the byte layout of the region format, from the code itself.")
    static final class Layout implements Runnable {
        @Parameters(arity = "0..*", paramLabel = "STRUCTURE", description = "Only these structures.")
        private List<String> structures = List.of();

        @Mixin
        private OutputMixin output;

        @Override
        public void run() {
            List<String> known = RegionLayout.structures().stream().map(s -> s.name()).toList();
            structures.forEach(
                    s -> Options.check(known.contains(s), "STRUCTURE", s, "one of " + String.join(", ", known)));
            List<RegionLayout.Row> rows = RegionLayout.rows().stream()
                    .filter(r -> structures.isEmpty() || structures.contains(r.structure())).toList();
            output.print(rows, () -> {
                TextTable table = new TextTable("STRUCTURE", "FIELD", "OFFSET", "BYTES", "TYPE", "WRITER");
                rows.forEach(r -> table.row(r.structure(), r.field(), r.offset(), r.bytes(), r.type(), r.writer()));
                return table.text();
            });
        }
    }
}
