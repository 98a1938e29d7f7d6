package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What one pass of verify collects. One thread.
final class VerifyPass {
    /// Findings beyond this many are counted and not kept: a destroyed table would fill the heap.
    static final int FINDINGS_MAX = 1000;

    private static final byte[] ZERO = new byte[1 << 16];

    private final byte[] chunk = new byte[ZERO.length];
    final Region region;
    final Memory memory;
    final List<Finding> findings = new ArrayList<>();
    final TreeMap<String, Long> counts = new TreeMap<>();
    /// Owner word and identity of each VM slot, read once per pass; null where there is no whole identity.
    final long[] owners;
    final VmIdentity[] identities;
    final long[] hosts;
    final long[] gates;
    private final Map<Integer, Set<FrameOfPage>> logged = new HashMap<>();

    VerifyPass(Region region) {
        this.region = region;
        this.memory = region.memory();
        this.owners = new long[region.vmSlots()];
        this.identities = new VmIdentity[region.vmSlots()];
        this.hosts = new long[region.hostSlots()];
        this.gates = new long[region.vmSlots()];
    }

    void count(String name) {
        counts.merge(name, 1L, Long::sum);
    }

    void add(Finding.Code code, String structure, long offset, Object found, Object expected) {
        add(code, structure, offset, found, expected,
                "stop the agents on this region; restore it, or destroy and re-create what is named");
    }

    void add(Finding.Code code, String structure, long offset, Object found, Object expected, String next) {
        count("findings");
        if (findings.size() < FINDINGS_MAX) {
            findings.add(new Finding(code, structure, offset, String.valueOf(found), String.valueOf(expected), next));
        }
    }

    /// Checks the reserved fields of one structure.
    void reserved(Struct struct, String structure, FieldBuffer raw, long base) {
        for (Struct.Field field : struct.fields()) {
            if (field.reserved() && !raw.allZero(field.offset(), field.offset() + field.bytes())) {
                add(Finding.Code.RESERVED_NOT_ZERO, structure + " " + field.name(), base + field.offset(), "not zero",
                        "0");
            }
        }
    }

    /// Checks that no byte between two areas is set.
    void gap(String structure, long from, long to) {
        for (long at = from; at < to; at += chunk.length) {
            int count = (int) Math.min(chunk.length, to - at);
            memory.copyOut(at, MemorySegment.ofArray(chunk), 0, count);
            int differs = Arrays.mismatch(chunk, 0, count, ZERO, 0, count);
            if (differs >= 0) {
                add(Finding.Code.RESERVED_NOT_ZERO, structure, (at + differs) & -8, "not zero", "0");
            }
        }
    }

    boolean hostExists(int slot) {
        return slot < hosts.length && SlotWord.state(hosts[slot]) != HostState.FREE;
    }

    boolean hostIsLive(int slot) {
        return slot < hosts.length && SlotWord.state(hosts[slot]) == HostState.LIVE;
    }

    /// True if the VM may show the traces of an operation on its pages or pins that died with its owner.
    boolean mayBeInterrupted(int vm) {
        return inTransition(vm) || OwnerWord.is(owners[vm], OwnerState.RECOVERING)
                || OwnerWord.is(owners[vm], OwnerState.RESTORING) || OwnerWord.is(owners[vm], OwnerState.LOST)
                || !hostIsLive(OwnerWord.slot(owners[vm]));
    }

    /// True if pages of the VM may be on their way: marked, or in a frame that is reserved. A protected VM that runs
    /// gives pages other frames all the time.
    boolean mayBeMoving(int vm) {
        return VmGate.count(gates[vm]) > 0 || mayBeInterrupted(vm) || isBeingCheckpointed(vm);
    }

    private boolean isBeingCheckpointed(int vm) {
        return OwnerWord.is(owners[vm], OwnerState.RUNNING) && CommitWord.isProtected(region.vm(vm).commitAcquire());
    }

    /// A frame and the page that it is, or was, of.
    record FrameOfPage(long frame, long page) {
    }

    /// What the VM's pre-image log names: frames with old contents, and those that were written instead.
    Set<FrameOfPage> loggedFrames(int vm) {
        return logged.computeIfAbsent(vm, this::readLog);
    }

    private Set<FrameOfPage> readLog(int vm) {
        Set<FrameOfPage> frames = new HashSet<>();
        VmSlot.LogPlace place = region.vm(vm).logPlaceOrNull();
        PreimageLog log = place == null ? null : new PreimageLog(region, place);
        for (long position = 0; log != null && position < log.capacity(); position++) {
            PreimageLog.Entry entry = log.read(position);
            if (entry != null) {
                frames.add(new FrameOfPage(entry.old(), entry.page()));
                frames.add(new FrameOfPage(entry.fresh(), entry.page()));
            }
        }
        return frames;
    }

    boolean isOffered(int vm) {
        return OwnerWord.is(owners[vm], OwnerState.OFFERED) || OwnerWord.is(owners[vm], OwnerState.CLAIMED);
    }

    /// True while the VM's frames are being built or taken apart, so that tables and frame words need not agree.
    boolean inTransition(int vm) {
        return OwnerWord.is(owners[vm], OwnerState.CREATING) || OwnerWord.is(owners[vm], OwnerState.DESTROYING);
    }

    boolean isFree(int vm) {
        return OwnerWord.is(owners[vm], OwnerState.FREE);
    }
}
