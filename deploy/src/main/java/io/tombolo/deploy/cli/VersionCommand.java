package io.tombolo.deploy.cli;

import io.tombolo.deploy.Version;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;

/// `tombolo version`.
@Command(name = "version", description = "Print the versions of Tombolo and of what it stands on.")
final class VersionCommand implements Runnable {
    @Mixin
    private OutputMixin output;

    @Override
    public void run() {
        Map<String, String> versions = Version.all();
        output.print(versions, () -> {
            StringBuilder text = new StringBuilder();
            versions.forEach((name, version) -> text.append(String.format("%-10s %s%n", name, version)));
            return text.toString();
        });
    }

    /// For `--version`.
    static final class Provider implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[]{"tombolo " + Version.tombolo()};
        }
    }
}
