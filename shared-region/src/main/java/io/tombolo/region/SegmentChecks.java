package io.tombolo.region;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/// Verify's look at segment files: each VM that has one finds it whole, and there is none that no VM names.
final class SegmentChecks {
    private SegmentChecks() {
    }

    static void check(VerifyPass pass) {
        Set<Path> named = new HashSet<>();
        boolean transition = false;
        for (int vm = 0; vm < pass.owners.length; vm++) {
            VmIdentity identity = pass.identities[vm];
            transition |= !pass.isFree(vm) && pass.inTransition(vm);
            if (identity == null || identity.backing() != Backing.SEGMENT) {
                continue;
            }
            named.add(pass.region.segments().path(identity.segmentUuid()));
            if (pass.inTransition(vm)) {
                continue;
            }
            try {
                pass.region.segments().open(identity.segmentUuid(), identity.memoryBytes());
            } catch (TomboloException e) {
                pass.add(Finding.Code.SEGMENT,
                        "segment " + identity.segmentUuid() + " of vm " + vm + " " + e.code().name(),
                        Long.parseLong(e.facts().getOrDefault("offset", "0")),
                        e.facts().getOrDefault("found", e.what()),
                        e.facts().getOrDefault("expected", "the segment"), e.next());
            }
        }
        for (Path file : pass.region.segments().list()) {
            pass.count("segment files");
            if (!named.contains(file) && !transition) {
                pass.add(Finding.Code.SEGMENT_LEAKED, "segment file " + file.getFileName(), 0, "no VM names it",
                        "a VM in this region", "remove the file if no VM is being created");
            }
        }
    }
}
