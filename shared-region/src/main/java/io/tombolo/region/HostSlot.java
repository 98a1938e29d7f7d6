package io.tombolo.region;

import java.util.UUID;

/// View of one host slot; thread safe, holds no state of its own. Claiming and freeing are in [HostSlots].
public final class HostSlot {
    private static final Struct LAYOUT = RegionLayout.HOST_SLOT;
    private static final long WORD = LAYOUT.offset("word");
    static final long IDENTITY = LAYOUT.offset("incarnation");
    static final long IDENTITY_END = LAYOUT.offset("crc") + 4;

    private final Region region;
    private final Memory memory;
    private final int index;
    private final long base;

    HostSlot(Region region, int index) {
        this.region = region;
        this.memory = region.memory();
        this.index = index;
        this.base = region.superblock().hostOffset() + index * LAYOUT.bytes();
    }

    public int index() {
        return index;
    }

    long base() {
        return base;
    }

    public long wordAcquire() {
        return memory.loadAcquire(base + WORD);
    }

    /// Changes the word if it is still `expect`; full fence, persisted when it succeeded. IllegalStateException for a
    /// change that [HostState] does not allow.
    public boolean compareAndSetWord(long expect, long next) {
        if (!HostState.permits(expect, next)) {
            throw new IllegalStateException(
                    "host slot " + index + ": " + SlotWord.describe(expect) + " -> " + SlotWord.describe(next));
        }
        if (!memory.compareAndSet(base + WORD, expect, next)) {
            return false;
        }
        memory.persist(base + WORD, 8);
        return true;
    }

    /// Who holds, or last held, the slot. Throws [RegionError#REGION_IDENTITY_DAMAGED] if it is not whole.
    public HostIdentity readIdentity() {
        long word = wordAcquire();
        FieldBuffer raw = load();
        HostIdentity identity = decodeOrNull(raw);
        if (identity == null || raw.word("incarnation") != SlotWord.incarnation(word)) {
            throw TomboloException.error(RegionError.REGION_IDENTITY_DAMAGED, "the host's identity is damaged")
                    .fact("file", region.file()).fact("host", index).fact("offset", base + IDENTITY)
                    .fact("found",
                            "crc 0x" + Integer.toHexString(raw.int32("crc")) + " incarnation "
                                    + raw.word("incarnation"))
                    .fact("expected",
                            "crc 0x" + Integer.toHexString(raw.crc("incarnation")) + " incarnation "
                                    + SlotWord.incarnation(word))
                    .next("tombolo region verify " + region.file()).build();
        }
        return identity;
    }

    FieldBuffer load() {
        return new FieldBuffer(LAYOUT).load(memory, base, 0, LAYOUT.bytes());
    }

    /// Identity of the given incarnation, or null while it is not (yet) there as a whole.
    HostIdentity identityOrNull(long incarnation) {
        FieldBuffer raw = load();
        return raw.word("incarnation") == incarnation ? decodeOrNull(raw) : null;
    }

    static HostIdentity decodeOrNull(FieldBuffer raw) {
        String name = raw.text("name", "name_bytes");
        if (!raw.crcMatches("incarnation") || name == null || raw.int32("pet_factor") < 0
                || raw.int32("pet_factor") > 2) {
            return null;
        }
        WatchdogBound bound = new WatchdogBound(raw.int32("pet_factor"), raw.word("watchdog_ns"), raw.word("check_ns"),
                raw.word("scan_ns"), raw.word("kill_ns"), raw.int32("drift_ppm"), raw.int32("outside_domain") == 1);
        return new HostIdentity(raw.uuid("host_uuid"), name, raw.uuid("boot_id"), raw.word("pid"), bound);
    }

    void writeIdentity(HostIdentity identity, long incarnation) {
        WatchdogBound bound = identity.bound();
        FieldBuffer raw = new FieldBuffer(LAYOUT).word("incarnation", incarnation)
                .uuid("host_uuid", identity.hostUuid())
                .uuid("boot_id", identity.bootId()).word("pid", identity.pid())
                .text("name", "name_bytes", identity.name())
                .int32("pet_factor", bound.petFactor()).word("watchdog_ns", bound.watchdogNs())
                .word("check_ns", bound.checkNs()).word("scan_ns", bound.scanNs()).word("kill_ns", bound.killNs())
                .int32("drift_ppm", bound.driftPpm()).int32("outside_domain", bound.outsideStallDomain() ? 1 : 0);
        raw.int32("crc", raw.crc("incarnation"));
        memory.copyIn(raw.bytes(), IDENTITY, base + IDENTITY, IDENTITY_END - IDENTITY);
        memory.persist(base + IDENTITY, IDENTITY_END - IDENTITY);
    }

    /// True if both are the same host by name or UUID.
    static boolean sameHost(HostIdentity one, HostIdentity other) {
        UUID uuid = one.hostUuid();
        return uuid.equals(other.hostUuid()) || one.name().equals(other.name());
    }
}
