package io.tombolo.deploy.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Finds the cgroup v2 directory of this process, also on machines that mount version 1 beside it (there the mount is
/// usually /sys/fs/cgroup/unified).
final class CgroupMount {
    private CgroupMount() {
    }

    /// The directory of the own cgroup, under which further ones may be made; empty without cgroup v2.
    static Optional<Path> find() {
        try {
            return find(Files.readAllLines(Path.of("/proc/self/mountinfo")),
                    Files.readAllLines(Path.of("/proc/self/cgroup")));
        } catch (IOException _) {
            // No /proc, or not ours to read: then there is no cgroup to use either.
            return Optional.empty();
        }
    }

    /// @param mountinfo lines of /proc/self/mountinfo: `36 35 98:0 /root /mount opts … - type source superopts`
    /// @param cgroup lines of /proc/self/cgroup; that of version 2 is `0::/path`
    static Optional<Path> find(List<String> mountinfo, List<String> cgroup) {
        Optional<String> own = cgroup.stream().filter(line -> line.startsWith("0::/")).map(line -> line.substring(3))
                .findFirst();
        if (own.isEmpty()) {
            return Optional.empty();
        }
        for (String line : mountinfo) {
            int dash = line.indexOf(" - ");
            if (dash < 0 || !line.startsWith("cgroup2 ", dash + 3)) {
                continue;
            }
            String[] fields = line.split(" ", -1);
            Path root = Path.of(fields[3]);
            Path path = Path.of(own.get());
            if (path.startsWith(root)) {
                return Optional.of(Path.of(unescape(fields[4])).resolve(root.relativize(path)).normalize());
            }
        }
        return Optional.empty();
    }

    /// mountinfo writes blanks and the like as three octal digits.
    private static String unescape(String field) {
        return field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\");
    }
}
