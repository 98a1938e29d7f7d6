package io.tombolo.agent.qemu;

import java.io.IOException;
import java.nio.file.Path;

/// A hop with x-ignore-shared by a QMP script alone: state straight from QEMU to QEMU over a UNIX socket, no checksum,
/// no ownership, the target runs by itself.
public final class BareHop extends Comparison {
    public BareHop(ComparisonSetup setup) {
        super(setup, "bare-hop", true);
    }

    @Override
    QemuDefinition.Memory memory(Path directory, long bytes) throws IOException {
        return new QemuDefinition.Memory.SegmentFile(sparseFile(directory.resolve("memory"), bytes));
    }

    @Override
    String listen(QemuGuest target) {
        return "unix:" + target.listenForState("in");
    }
}
