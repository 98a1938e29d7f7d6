package io.tombolo.deploy.cli;

import static io.tombolo.deploy.cli.DoctorLine.fail;
import static io.tombolo.deploy.cli.DoctorLine.ok;
import static io.tombolo.deploy.cli.DoctorLine.warn;

import io.tombolo.deploy.report.HostFactsReader;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The part of `doctor` that looks at the JVM, the kernel and the memory. Each rule is a function of what was read, so
/// that a test can ask what it would say on another machine.
final class DoctorMachine {
    private static final int JAVA_FEATURE = 25;
    /// A drill with its defaults: 1 GiB of guest, tables, metadata slots, and some room.
    private static final long DRILL_BYTES = 1200L << 20;
    /// ZooKeeper, coordinators and agents hold some hundred; connections and guests come on top.
    private static final long OPEN_FILES = 1024;

    private DoctorMachine() {
    }

    static List<DoctorLine> look(Path regionDirectory) {
        List<DoctorLine> lines = new ArrayList<>();
        lines.add(java(Runtime.version().feature(), System.getProperty("java.home")));
        lines.add(nativeAccess(DoctorMachine.class.getModule().isNativeAccessEnabled()));
        lines.add(cores(Runtime.getRuntime().availableProcessors()));
        lines.add(clock(HostFactsReader.clockSource()));
        lines.add(regionRoom(regionDirectory));
        lines.add(hugePages(read("/proc/meminfo"), read("/proc/mounts")));
        lines.add(dax());
        String limits = read("/proc/self/limits");
        lines.add(openFiles(limit(limits, "Max open files")));
        lines.add(memlock(limit(limits, "Max locked memory")));
        lines.add(cgroup(read("/proc/self/cgroup")));
        return lines;
    }

    static DoctorLine java(int feature, String home) {
        return feature >= JAVA_FEATURE
                ? ok("jdk", "Java " + feature + " in " + home)
                : fail("jdk", "Java " + feature + " in " + home, "install a JDK 25 and point TOMBOLO_JAVA_HOME at it");
    }

    static DoctorLine nativeAccess(boolean enabled) {
        return enabled
                ? ok("native access", "enabled")
                : fail("native access", "not enabled",
                        "start with --enable-native-access=ALL-UNNAMED, as ./tombolo does");
    }

    static DoctorLine cores(int cores) {
        return cores >= 2
                ? ok("cores", cores + " cores")
                : warn("cores", "1 core", "use 2 or more: source and target of a hand-off run at the same time");
    }

    static DoctorLine clock(String source) {
        return switch (source) {
            case "tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page" -> ok("clock", source);
            default -> warn("clock", source,
                    "reading the time is slow with this source and downtimes will look longer; use tsc if it is offered");
        };
    }

    private static DoctorLine regionRoom(Path directory) {
        if (!Files.isDirectory(directory)) {
            return fail("region room", directory + " is not a directory",
                    "mount -t tmpfs tmpfs " + directory + ", or give another with --region-directory");
        }
        try {
            long type = Linux.fileSystemType(directory);
            return regionRoom(directory, type, Files.getFileStore(directory).getUsableSpace(),
                    Files.isWritable(directory));
        } catch (IOException e) {
            return fail("region room", directory + ": " + e.getMessage(), "give another with --region-directory");
        }
    }

    static DoctorLine regionRoom(Path directory, long type, long freeBytes, boolean writable) {
        String kind = type == Linux.TMPFS_MAGIC ? "tmpfs" : type == Linux.HUGETLBFS_MAGIC ? "hugetlbfs" : "";
        String found = directory + ": " + (kind.isEmpty() ? "no memory file system" : kind) + ", "
                + Units.bytes(freeBytes) + " free" + (writable ? "" : ", not writable");
        if (!writable) {
            return fail("region room", found,
                    "make it writable for this user, or give another with --region-directory");
        }
        if (freeBytes < DRILL_BYTES) {
            return warn("region room", found, "a drill with its defaults needs " + Units.bytes(DRILL_BYTES)
                    + ": mount -o remount,size=2G " + directory
                    + " (in a container: --shm-size=2g), or use --memory 64M");
        }
        return kind.isEmpty()
                ? warn("region room", found, "put the region on tmpfs, hugetlbfs or DAX: a disk file is written back")
                : ok("region room", found);
    }

    static DoctorLine hugePages(String meminfo, String mounts) {
        Matcher free = Pattern.compile("HugePages_Free:\\s+(\\d+)").matcher(meminfo);
        long pages = free.find() ? Long.parseLong(free.group(1)) : 0;
        String mount = mounts.lines().filter(l -> l.contains(" hugetlbfs ")).map(l -> l.split(" ", -1)[1]).findFirst()
                .orElse("");
        return ok("huge pages", pages == 0 || mount.isEmpty()
                ? "none to be had; not needed"
                : pages + " free, mounted at " + mount);
    }

    private static DoctorLine dax() {
        Path devices = Path.of("/sys/bus/dax/devices");
        try (Stream<Path> found = Files.isDirectory(devices) ? Files.list(devices) : Stream.empty()) {
            List<String> names = found.map(p -> p.getFileName().toString()).sorted().toList();
            return ok("dax", names.isEmpty() ? "no DAX device; tmpfs stands in for it" : String.join(",", names));
        } catch (IOException e) {
            return warn("dax", e.getMessage(), "look at " + devices);
        }
    }

    static DoctorLine openFiles(OptionalLong limit) {
        return limit.isPresent() && limit.getAsLong() < OPEN_FILES
                ? warn("open files", "limit " + limit.getAsLong(),
                        "ulimit -n " + OPEN_FILES + ", or LimitNOFILE= of the unit")
                : ok("open files", limit.isPresent() ? "limit " + limit.getAsLong() : "unlimited");
    }

    /// Nothing is locked by Tombolo itself; QEMU with a device passed through locks all guest memory.
    static DoctorLine memlock(OptionalLong limit) {
        return ok("locked memory", limit.isPresent() ? "limit " + Units.bytes(limit.getAsLong()) : "unlimited");
    }

    private static DoctorLine cgroup(String ownCgroup) {
        String path = ownCgroup.lines().filter(l -> l.startsWith("0::")).map(l -> l.substring(3)).findFirst()
                .orElse("");
        Path root = Path.of("/sys/fs/cgroup");
        boolean unified = Files.exists(root.resolve("cgroup.controllers"));
        boolean writable = unified && Files.isWritable(root.resolve(path.replaceFirst("^/", "")));
        return cgroup(unified, writable);
    }

    static DoctorLine cgroup(boolean unified, boolean writable) {
        String instead = "process groups and pidfds are used instead; a process that leaves its group escapes them";
        if (!unified) {
            return warn("cgroup v2", "not mounted at /sys/fs/cgroup; " + instead,
                    "boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 none /sys/fs/cgroup");
        }
        return writable
                ? ok("cgroup v2", "own group is writable")
                : warn("cgroup v2", "own group is not writable; " + instead,
                        "run under systemd with Delegate=yes, or as root");
    }

    /// The soft limit of one line of /proc/<pid>/limits; empty for unlimited.
    static OptionalLong limit(String limits, String name) {
        Matcher matcher = Pattern.compile("(?m)^" + Pattern.quote(name) + "\\s+(\\d+)\\s").matcher(limits);
        return matcher.find() ? OptionalLong.of(Long.parseLong(matcher.group(1))) : OptionalLong.empty();
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            return "";
        }
    }
}
