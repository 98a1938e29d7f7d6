package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.ConfigFile;
import io.tombolo.coordinator.Defaulted;
import io.tombolo.coordinator.RpcConfig;
import io.tombolo.coordinator.ZooKeeperConfig;
import io.tombolo.coordinator.wire.VmSpec;
import java.util.List;
import java.util.UUID;

/// Configuration of one agent process.
///
/// @param name name of the host, unique in the cluster
/// @param hostUuid identity of the host, the same at every start of its agent
/// @param clusterName name of the cluster
/// @param clusterUuid its UUID, the same in every configuration and in the region
/// @param zookeeper how to reach ZooKeeper
/// @param rpc where to listen
/// @param regionFile path of the region file on this host
/// @param runDirectory directory of this host for sockets, logs of guests and the like; created if missing
/// @param timing every timing, from one base figure
/// @param drivers names of the drivers that this host offers
/// @param qemu settings of the `qemu` driver
/// @param rehearsalHops hand-offs of a scratch VM that the agent makes at its start, so that the code is compiled when
/// a real
///            one comes; 0 for none
/// @param maxStoringThreads how many threads (vCPUs, movers, QEMU watches) may store to the region at a time
/// @param localTier memory of this host's own for pages of its VMs
public record AgentConfig(String name, UUID hostUuid, String clusterName, UUID clusterUuid, ZooKeeperConfig zookeeper,
        @Defaulted("{}") RpcConfig rpc, String regionFile, String runDirectory, @Defaulted("{}") TimingConfig timing,
        @Defaulted("[simulated]") List<String> drivers, @Defaulted("{}") QemuConfig qemu,
        @Defaulted("6000") int rehearsalHops, @Defaulted("256") int maxStoringThreads,
        @Defaulted("{}") LocalTierConfig localTier) {
    public AgentConfig {
        requireNonNull(hostUuid, "hostUuid is null");
        requireNonNull(clusterUuid, "clusterUuid is null");
        requireNonNull(zookeeper, "zookeeper is null");
        requireNonNull(rpc, "rpc is null");
        requireNonNull(timing, "timing is null");
        requireNonNull(qemu, "qemu is null");
        requireNonNull(localTier, "localTier is null");
        drivers = List.copyOf(drivers);
        ConfigFile.check(VmSpec.isName(name), "name", name, "1 to 63 of a-z 0-9 -, first a letter or digit");
        ConfigFile.check(VmSpec.isName(clusterName), "clusterName", clusterName,
                "1 to 63 of a-z 0-9 -, first a letter or digit");
        ConfigFile.check(!regionFile.isBlank(), "regionFile", regionFile, "a path");
        ConfigFile.check(!runDirectory.isBlank(), "runDirectory", runDirectory, "a path");
        ConfigFile.check(!drivers.isEmpty() && List.of("simulated", "qemu").containsAll(drivers), "drivers", drivers,
                "some of simulated, qemu");
        ConfigFile.check(rehearsalHops >= 0 && rehearsalHops <= 100_000, "rehearsalHops", rehearsalHops,
                "0 to 100000");
        ConfigFile.check(maxStoringThreads >= 1 && maxStoringThreads <= 4_096, "maxStoringThreads", maxStoringThreads,
                "1 to 4096");
    }

    /// With the default local tier.
    public AgentConfig(String name, UUID hostUuid, String clusterName, UUID clusterUuid, ZooKeeperConfig zookeeper,
            RpcConfig rpc, String regionFile, String runDirectory, TimingConfig timing, List<String> drivers,
            QemuConfig qemu, int rehearsalHops, int maxStoringThreads) {
        this(name, hostUuid, clusterName, clusterUuid, zookeeper, rpc, regionFile, runDirectory, timing, drivers, qemu,
                rehearsalHops, maxStoringThreads, LocalTierConfig.ofBytes(LocalTierConfig.DEFAULT_BYTES));
    }

    /// The base figure of every timing.
    ///
    /// @param baseMs see [Timings]
    public record TimingConfig(@Defaulted("500") int baseMs) {
        /// All timings.
        public Timings timings() {
            return new Timings(baseMs);
        }
    }

    /// Memory of the host's own for pages of its VMs (docs/page-moves.md). It is reserved in full when the agent
    /// starts.
    ///
    /// @param bytes size, a multiple of 2 MiB; 0 for a host without a local tier
    /// @param directory where its file is, on tmpfs, hugetlbfs or a DAX or NUMA file system; `""` means the run
    ///                  directory
    /// @param hugePages `none`; `transparent` asks the kernel for huge pages (MADV_HUGEPAGE); `hugetlbfs`: the
    ///                  directory is a mount of it
    public record LocalTierConfig(@Defaulted("536870912") long bytes, @Defaulted("\"\"") String directory,
            @Defaulted("none") String hugePages) {
        /// 512 MiB.
        public static final long DEFAULT_BYTES = 512L << 20;

        public LocalTierConfig {
            requireNonNull(directory, "directory is null");
            requireNonNull(hugePages, "hugePages is null");
            ConfigFile.check(bytes >= 0 && bytes % VmSpec.LARGE_PAGE_BYTES == 0, "localTier.bytes", bytes,
                    "0 or a multiple of " + VmSpec.LARGE_PAGE_BYTES);
            ConfigFile.check(List.of("none", "transparent", "hugetlbfs").contains(hugePages), "localTier.hugePages",
                    hugePages, "none, transparent, hugetlbfs");
            ConfigFile.check(!hugePages.equals("hugetlbfs") || !directory.isEmpty(), "localTier.directory", directory,
                    "a directory on hugetlbfs");
        }

        /// Small pages in the run directory.
        public static LocalTierConfig ofBytes(long bytes) {
            return new LocalTierConfig(bytes, "", "none");
        }
    }

    /// Settings of the `qemu` driver.
    ///
    /// @param binary the system emulator, a path or a name on the PATH
    /// @param accelerator `auto` probes whether KVM really makes progress and takes TCG otherwise; or `kvm`, `tcg`
    /// @param imageDirectory where the guest image (kernel, initramfs) is cached; `""` means the user's cache directory
    public record QemuConfig(@Defaulted("qemu-system-x86_64") String binary, @Defaulted("auto") String accelerator,
            @Defaulted("\"\"") String imageDirectory) {
        public QemuConfig {
            ConfigFile.check(!binary.isBlank(), "qemu.binary", binary, "a path or name");
            ConfigFile.check(List.of("auto", "kvm", "tcg").contains(accelerator), "qemu.accelerator", accelerator,
                    "auto, kvm, tcg");
        }
    }
}
