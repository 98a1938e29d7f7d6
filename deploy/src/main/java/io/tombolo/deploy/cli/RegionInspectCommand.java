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

/// `tombolo region inspect FILE [STRUCTURE [INDEX...]]`.
@Command(name = "inspect", description = {"Print structures of a region, decoded. Changes nothing.",
        "Without STRUCTURE: the superblock and all host and VM slots that are in use."})
final class RegionInspectCommand implements Runnable {
    private static final String STRUCTURES = "superblock, host_slot SLOT, vm_slot SLOT, metadata VM_SLOT 0|1,"
            + " block_owner BLOCK, frame_word FRAME, page_table_entry VM_SLOT PAGE";

    @Parameters(index = "0", paramLabel = "FILE", description = "The region file.")
    private Path file;

    @Parameters(index = "1", arity = "0..1", paramLabel = "STRUCTURE", description = "One of: " + STRUCTURES + ".")
    private String structure;

    @Parameters(index = "2..*", arity = "0..2", paramLabel = "INDEX", description = "Which one, counted from 0.")
    private List<Long> indexes = List.of();

    @Mixin
    private OutputMixin output;

    @Override
    public void run() {
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            RegionInspector inspector = RegionInspector.of(region);
            List<Decoded> found = structure == null ? inUse(region, inspector) : List.of(one(region, inspector));
            output.print(structure == null ? found : found.getFirst(),
                    () -> found.stream().map(Decoded::text).collect(Collectors.joining("\n")));
        }
    }

    private static List<Decoded> inUse(Region region, RegionInspector inspector) {
        List<Decoded> found = new ArrayList<>(List.of(inspector.superblock()));
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            if (SlotWord.state(region.host(slot).wordAcquire()) != HostState.FREE) {
                found.add(inspector.host(slot));
            }
        }
        for (int slot = 0; slot < region.vmSlots(); slot++) {
            if (OwnerWord.state(region.vm(slot).ownerAcquire()) != OwnerState.FREE) {
                found.add(inspector.vm(slot));
            }
        }
        return found;
    }

    private Decoded one(Region region, RegionInspector inspector) {
        return switch (structure) {
            case "superblock" -> {
                indexCount(0);
                yield inspector.superblock();
            }
            case "host_slot" -> inspector.host((int) index(1, 0, region.hostSlots()));
            case "vm_slot" -> inspector.vm((int) index(1, 0, region.vmSlots()));
            case "metadata" -> inspector.metadata((int) index(2, 0, region.vmSlots()), (int) index(2, 1, 2));
            case "block_owner" -> inspector.block(index(1, 0, region.superblock().blockCount()));
            case "frame_word" -> inspector.frame(index(1, 0, region.superblock().frameCount()));
            case "page_table_entry" -> entry(region, inspector);
            default -> throw TomboloException
                    .error(DeployError.STRUCTURE_UNKNOWN, "a region has no structure of that name")
                    .fact("structure", structure).fact("known", STRUCTURES)
                    .next("tombolo region layout lists every field of each").build();
        };
    }

    private Decoded entry(Region region, RegionInspector inspector) {
        int slot = (int) index(2, 0, region.vmSlots());
        Options.check(OwnerWord.state(region.vm(slot).ownerAcquire()) != OwnerState.FREE, "INDEX", slot,
                "a VM slot that is in use");
        return inspector.pte(slot, index(2, 1, Math.max(1, region.vm(slot).readIdentity().pages())));
    }

    private long index(int count, int which, long bound) {
        indexCount(count);
        long index = indexes.get(which);
        Options.check(index >= 0 && index < bound, "INDEX", index, "0 to " + (bound - 1));
        return index;
    }

    private void indexCount(int count) {
        Options.check(indexes.size() == count, "INDEX", indexes, count + " of them for " + structure);
    }
}
