package io.tombolo.deploy.cli;

import io.tombolo.deploy.DeployError;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VerifyReport;
import java.nio.file.Path;
import java.util.Map;
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
        VerifyReport report = RegionVerifier.verify(file);
        output.print(Map.of("file", report.file().toString(), "clean", report.clean(), "findings", report.findings(),
                "counts", report.counts()), report::text);
        if (!report.clean()) {
            // What cannot even be opened has a code of its own, the same as for every other command.
            Region.open(file, OpenOptions.inspect()).close();
            throw TomboloException.error(DeployError.REGION_DAMAGED, "the region is damaged")
                    .fact("file", report.file()).fact("findings", report.findings().size())
                    .next("stop the cluster, keep the file, and see docs/region-format.md on each finding").build();
        }
    }
}
