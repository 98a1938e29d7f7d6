package io.tombolo.deploy.cli;

import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.Superblock;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `tombolo region inspect FILE`.
@Command(name = "inspect", description = "Print structures of a region, decoded. Changes nothing.")
final class RegionInspectCommand implements Runnable {
    @Parameters(paramLabel = "FILE", description = "The region file.")
    private Path file;

    @Mixin
    private OutputMixin output;

    @Override
    public void run() {
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            Superblock superblock = region.superblock();
            output.print(superblock, () -> superblock + "\n");
        }
    }
}
