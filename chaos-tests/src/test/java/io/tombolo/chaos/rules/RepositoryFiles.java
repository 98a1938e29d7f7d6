package io.tombolo.chaos.rules;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The files of this checkout as the rules see them: what git tracks or would track. Without git (a source archive) it
/// is every file outside the build and editor folders.
final class RepositoryFiles {
    private static final Set<String> NOT_OURS = Set.of(".git", "target", ".idea", ".vscode", ".settings");

    private final Path root;
    private final List<String> tracked;
    private final List<String> all;

    private RepositoryFiles(Path root, List<String> tracked, List<String> all) {
        this.root = root;
        this.tracked = List.copyOf(tracked);
        this.all = List.copyOf(all);
    }

    static RepositoryFiles here() {
        Path root = root();
        List<String> tracked = git(root, "--cached");
        if (tracked.isEmpty()) {
            List<String> walked = walk(root);
            return new RepositoryFiles(root, walked, walked);
        }
        return new RepositoryFiles(root, tracked, git(root, "--cached", "--others", "--exclude-standard"));
    }

    /// The folder of the checkout: the nearest one above the working directory that holds `mvnw`.
    static Path root() {
        Path directory = Path.of("").toAbsolutePath();
        while (directory != null && !Files.exists(directory.resolve("mvnw"))) {
            directory = directory.getParent();
        }
        if (directory == null) {
            throw new IllegalStateException("no mvnw at or above " + Path.of("").toAbsolutePath());
        }
        return directory;
    }

    /// First components of what is committed; a person's own new files beside them are nobody's business.
    Set<String> topLevel() {
        return Set.copyOf(tracked.stream().map(path -> path.split("/", 2)[0]).toList());
    }

    /// Paths relative to the root with `/`, files only, existing ones only, binary formats left out.
    List<String> text() {
        return all.stream().filter(path -> !path.matches(".*\\.(bin|png|gz|jar|seg)"))
                .filter(path -> Files.isRegularFile(root.resolve(path))).toList();
    }

    List<String> text(String suffix) {
        return text().stream().filter(path -> path.endsWith(suffix)).toList();
    }

    boolean exists(String path) {
        return Files.exists(root.resolve(path));
    }

    List<String> lines(String path) {
        return content(path).lines().toList();
    }

    String content(String path) {
        try {
            return Files.readString(root.resolve(path));
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + path, e);
        }
    }

    private static List<String> git(Path root, String... what) {
        List<String> command = new ArrayList<>(
                List.of("git", "-c", "safe.directory=*", "-c", "core.quotepath=off", "ls-files"));
        command.addAll(List.of(what));
        try {
            Process process = new ProcessBuilder(command).directory(root.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.waitFor() == 0 ? out.lines().distinct().toList() : List.of();
        } catch (IOException e) {
            return List.of(); // no git here
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while listing files", e);
        }
    }

    private static List<String> walk(Path root) {
        List<String> found = new ArrayList<>();
        walk(root, root, found);
        return found;
    }

    private static void walk(Path root, Path directory, List<String> found) {
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : entries.sorted().toList()) {
                if (NOT_OURS.contains(entry.getFileName().toString())) {
                    continue;
                }
                if (Files.isDirectory(entry)) {
                    walk(root, entry, found);
                } else {
                    found.add(root.relativize(entry).toString());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("listing " + directory, e);
        }
    }
}
