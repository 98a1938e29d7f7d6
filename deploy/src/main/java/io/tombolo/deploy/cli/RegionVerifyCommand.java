package io.tombolo.deploy.cli;

import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `tombolo region verify FILE`.
@Command(name = "verify", description = {"Look for damage in a region and say where it is. Changes nothing.",
        "Ends with 5 if there is any."})
final class RegionVerifyCommand implements Runnable {
    @Parameters(paramLabel = "FILE", description = "The region file.")
    private Path file;

    @Mixin
    private OutputMixin output;

    @Override
    public void run() {
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            output.print(region.superblock(), () -> region.superblock() + "\n");
        }
    }
}
