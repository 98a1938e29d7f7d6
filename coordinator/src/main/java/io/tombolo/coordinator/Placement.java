package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.region.TomboloException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Which host gets a VM. Pure functions of what ZooKeeper and the owner words say. The region is shared by all hosts,
/// so frames are not a matter of placement: the agent that creates the VM refuses it when there are too few.
public final class Placement {
    private Placement() {
    }

    /// The live host with the driver and the fewest VMs; the first by name among equals.
    ///
    /// @param live  hosts with a record in ZooKeeper
    /// @param owned VMs per host name
    /// @throws TomboloException `NO_HOST_AVAILABLE`
    public static HostRecord choose(VmSpec spec, List<HostRecord> live, Map<String, Integer> owned,
            PlacementConfig limits) {
        return live.stream().filter(host -> host.drivers().contains(spec.driver()))
                .filter(host -> owned.getOrDefault(host.name(), 0) < limits.maxVmsPerHost())
                .min(Comparator.<HostRecord>comparingInt(host -> owned.getOrDefault(host.name(), 0))
                        .thenComparing(HostRecord::name))
                .orElseThrow(() -> TomboloException
                        .error(CoordinatorError.NO_HOST_AVAILABLE, "no live host can take the VM")
                        .fact("vm", spec.name())
                        .fact("driver", spec.driver()).fact("liveHosts", live.size())
                        .next("tombolo host list").build());
    }

    /// The host of that name, if it can take the VM.
    ///
    /// @param known names of all hosts that the region has seen
    /// @throws TomboloException `HOST_UNKNOWN`, `HOST_DEAD`, `HOST_LACKS_DRIVER`, `HOST_FULL`
    public static HostRecord require(String name, VmSpec spec, List<HostRecord> live, Set<String> known,
            Map<String, Integer> owned, PlacementConfig limits) {
        HostRecord host = live.stream().filter(one -> one.name().equals(name)).findFirst()
                .orElseThrow(() -> known.contains(name) ? dead(name) : unknown(name));
        if (!host.drivers().contains(spec.driver())) {
            throw TomboloException
                    .error(CoordinatorError.HOST_LACKS_DRIVER, "the host does not have the VM's hypervisor driver")
                    .fact("host", name).fact("driver", spec.driver()).fact("drivers", String.join(",", host.drivers()))
                    .next("choose another host").build();
        }
        int count = owned.getOrDefault(name, 0);
        if (count >= limits.maxVmsPerHost()) {
            throw TomboloException.error(CoordinatorError.HOST_FULL, "the host cannot take one more VM")
                    .fact("host", name).fact("vms", count).fact("limit", limits.maxVmsPerHost())
                    .next("choose another host, or raise placement.maxVmsPerHost").build();
        }
        return host;
    }

    static TomboloException unknown(String name) {
        return TomboloException.error(CoordinatorError.HOST_UNKNOWN, "there is no host of that name").fact("host", name)
                .next("tombolo host list").build();
    }

    static TomboloException dead(String name) {
        return TomboloException.error(CoordinatorError.HOST_DEAD, "the host has no live agent").fact("host", name)
                .next("start its agent, or choose another host").build();
    }
}
