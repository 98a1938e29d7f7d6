package io.tombolo.chaos.report;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `tombolo chaos report DIR`.
@Command(name = "report", description = "Write report.html of a result folder again.")
public final class ReportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Result folder of a run.")
    private Path folder;

    @Override
    public Integer call() {
        spec.commandLine().getOut().println(ChaosReport.rewrite(folder));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
