package io.tombolo.deploy.cli;

import io.tombolo.deploy.DeployError;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.RegionInspector;
import io.tombolo.region.RegionInspector.Decoded;
import io.tombolo.region.SlotWord;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `tombolo region inspect FILE [STRUCTURE…]`.
@Command(name = "inspect", description = {"Print structures of a region, decoded. Changes nothing.",
        "Without STRUCTURE: the superblock and every host and VM slot that is in use."})
final class RegionInspectCommand implements Runnable {
    private static final String FORMS = "superblock, host:SLOT, vm:SLOT, metadata:VM:0|1, block:N, frame:N, pte:VM:PAGE";

    @Parameters(index = "0", paramLabel = "FILE", description = "The region file.")
    private Path file;

    @Parameters(index = "1..*", arity = "0..*", paramLabel = "STRUCTURE", description = "One of " + FORMS + ".")
    private List<String> structures = List.of();

    @Mixin
    private OutputMixin output;

    @Override
    public void run() {
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            RegionInspector inspector = RegionInspector.of(region);
            List<Decoded> decoded = structures.isEmpty()
                    ? inUse(region, inspector)
                    : structures.stream().map(s -> decode(region, inspector, s)).toList();
            output.print(decoded, () -> decoded.stream().map(Decoded::text).collect(Collectors.joining("\n")));
        }
    }

    private static List<Decoded> inUse(Region region, RegionInspector inspector) {
        List<Decoded> decoded = new ArrayList<>(List.of(inspector.superblock()));
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            if (SlotWord.state(region.host(slot).wordAcquire()) != HostState.FREE) {
                decoded.add(inspector.host(slot));
            }
        }
        for (int slot = 0; slot < region.vmSlots(); slot++) {
            if (!OwnerWord.is(region.vm(slot).ownerAcquire(), OwnerState.FREE)) {
                decoded.add(inspector.vm(slot));
            }
        }
        return decoded;
    }

    private static Decoded decode(Region region, RegionInspector inspector, String structure) {
        String[] words = structure.split(":", -1);
        try {
            return switch (words[0] + "/" + (words.length - 1)) {
                case "superblock/0" -> inspector.superblock();
                case "host/1" -> inspector.host(Integer.parseInt(words[1]));
                case "vm/1" -> inspector.vm(Integer.parseInt(words[1]));
                case "metadata/2" -> inspector.metadata(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
                case "block/1" -> inspector.block(Long.parseLong(words[1]));
                case "frame/1" -> inspector.frame(Long.parseLong(words[1]));
                case "pte/2" -> {
                    int slot = Integer.parseInt(words[1]);
                    if (OwnerWord.is(region.vm(slot).ownerAcquire(), OwnerState.FREE)) {
                        throw unknown(structure, null);
                    }
                    yield inspector.pte(slot, Long.parseLong(words[2]));
                }
                default -> throw unknown(structure, null);
            };
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw unknown(structure, e);
        }
    }

    private static TomboloException unknown(String structure, RuntimeException cause) {
        TomboloException.Builder builder = TomboloException
                .error(DeployError.STRUCTURE_UNKNOWN, "a region has no such structure").fact("found", structure)
                .fact("expected", FORMS);
        if (cause != null) {
            builder.fact("cause", cause.getMessage()).cause(cause);
        }
        return builder.next("tombolo region inspect FILE superblock tells how many there are").build();
    }
}
