package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// The files that a run leaves behind.
///
/// | file | what |
/// |---|---|
/// | `config.json` | the plan and the command that repeats it |
/// | `history.jsonl`, `history.edn` | every operation and fault |
/// | `run.json` | versions, faults, ownership, migrations, VMs and ends of processes, for the report |
/// | `results.json` | verdicts and counts |
/// | `report.html` | all of it, for people |
/// | `logs/` | log of every process |
final class ResultFolder {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path folder;

    ResultFolder(Path folder) {
        this.folder = requireNonNull(folder, "folder is null").toAbsolutePath();
        try {
            Files.createDirectories(this.folder);
            try (Stream<Path> there = Files.list(this.folder)) {
                if (there.findAny().isPresent()) {
                    throw TomboloException.error(ChaosError.CHAOS_RESULT_NOT_WRITTEN, "the result folder is not empty")
                            .fact("folder", this.folder).next("name another one with --out").build();
                }
            }
        } catch (IOException e) {
            throw notWritten(this.folder, e);
        }
    }

    Path path() {
        return folder;
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    void write(String name, Object value) {
        try {
            Files.writeString(file(name), JSON.writeValueAsString(value) + "\n");
        } catch (IOException e) {
            throw notWritten(file(name), e);
        }
    }

    void copyFile(Path from) {
        try {
            Files.copy(from, file(from.getFileName().toString()));
        } catch (IOException e) {
            throw notWritten(from, e);
        }
    }

    /// Copies all files of a directory into one of the folder.
    List<Path> copy(Path directory, String name) {
        try (Stream<Path> files = Files.list(directory)) {
            Path to = Files.createDirectories(file(name));
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
            try (Stream<Path> copied = Files.list(to)) {
                return copied.sorted().toList();
            }
        } catch (IOException e) {
            throw notWritten(file(name), e);
        }
    }

    /// Deletes a directory of the folder with all that is in it.
    void delete(String name) {
        Path tree = file(name);
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw notWritten(tree, e);
        }
    }

    private static TomboloException notWritten(Path path, IOException cause) {
        return TomboloException.error(ChaosError.CHAOS_RESULT_NOT_WRITTEN, "the result folder cannot be written")
                .fact("path", path).fact("cause", cause).next("check the directory and the room on its file system")
                .cause(cause).build();
    }
}
