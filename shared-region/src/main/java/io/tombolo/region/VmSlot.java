package io.tombolo.region;

/// View of one VM slot; thread safe, holds no state of its own. Who is not named by the owner word stores nothing here,
/// nor to the VM's tables, metadata or frames.
public final class VmSlot {
    private static final Struct LAYOUT = RegionLayout.VM_SLOT;
    private static final long OWNER = LAYOUT.offset("owner");
    private static final long ARMED = LAYOUT.offset("armed");
    private static final long SPIN = LAYOUT.offset("spin");
    private static final long ECHO = LAYOUT.offset("echo");
    private static final long BEAT = LAYOUT.offset("beat");
    private static final long FROM = LAYOUT.offset("from");
    private static final long GATE = LAYOUT.offset("gate");
    private static final long COMMIT = LAYOUT.offset("commit");
    private static final long LOG = LAYOUT.offset("log_first_frame");
    private static final long LOG_END = LAYOUT.offset("log_crc") + 4;
    private static final long TAKEN_FROM = LAYOUT.offset("taken_from");
    private static final long LOCAL_PAGES = LAYOUT.offset("local_pages");
    static final long IDENTITY = LAYOUT.offset("uuid");
    static final long IDENTITY_END = LAYOUT.offset("crc") + 4;

    private final Region region;
    private final Memory memory;
    private final int index;
    private final long base;

    VmSlot(Region region, int index) {
        this.region = region;
        this.memory = region.memory();
        this.index = index;
        this.base = region.superblock().vmOffset() + index * LAYOUT.bytes();
    }

    public int index() {
        return index;
    }

    long base() {
        return base;
    }

    public long ownerAcquire() {
        return memory.loadAcquire(base + OWNER);
    }

    /// Changes the owner word if it is still `expect`. Persists the whole slot before (armed, from, identity), and the
    /// word after, so that nothing can depend on a change that a loss of this host takes back; full fence.
    /// IllegalStateException for a change that [OwnerState] does not allow. No allocation.
    public boolean compareAndSetOwner(long expect, long next) {
        if (!OwnerState.permits(expect, next)) {
            throw new IllegalStateException(
                    "vm slot " + index + ": " + OwnerWord.describe(expect) + " -> " + OwnerWord.describe(next));
        }
        memory.persist(base, LAYOUT.bytes());
        if (!memory.compareAndSet(base + OWNER, expect, next)) {
            return false;
        }
        memory.persist(base + OWNER, 8);
        return true;
    }

    /// [ArmedWord]: for which intent and target the owner is about to switch. Writer: the owner.
    public long armedAcquire() {
        return memory.loadAcquire(base + ARMED);
    }

    public void armedRelease(long word) {
        memory.storeRelease(base + ARMED, word);
    }

    /// Equal to the armed word while the armed target spins on the owner word. Writer: the armed target; a line of its
    /// own.
    public long spinAcquire() {
        return memory.loadAcquire(base + SPIN);
    }

    public void spinRelease(long word) {
        memory.storeRelease(base + SPIN, word);
    }

    /// The nonce of the intent that the target is armed for, by which the source knows that both map the same memory.
    /// Writer: the armed target.
    public long echoAcquire() {
        return memory.loadAcquire(base + ECHO);
    }

    public void echoRelease(long nonce) {
        memory.storeRelease(base + ECHO, nonce);
    }

    /// Changes all the time while the armed target's thread spins; one that stands still has been descheduled. Writer:
    /// the armed target.
    public long beatAcquire() {
        return memory.loadAcquire(base + BEAT);
    }

    public void beatRelease(long count) {
        memory.storeRelease(base + BEAT, count);
    }

    /// [FromWord]: who may take the VM back from OFFERED, at exactly one epoch. Writer: the owner, before it offers.
    public long fromAcquire() {
        return memory.loadAcquire(base + FROM);
    }

    public void fromRelease(long word) {
        memory.storeRelease(base + FROM, word);
    }

    /// [CommitWord]: which state a takeover goes back to; [CommitWord#NONE] if the VM is not protected.
    public long commitAcquire() {
        return memory.loadAcquire(base + COMMIT);
    }

    /// Changes the commit word if it is still `expect`; full fence, persisted when it succeeded. What it names was made
    /// durable before. By the owner from the word it knows, and by a takeover.
    boolean compareAndSetCommit(long expect, long next) {
        if (!memory.compareAndSet(base + COMMIT, expect, next)) {
            return false;
        }
        memory.persist(base + COMMIT, 8);
        return true;
    }

    /// Where a protected VM's pre-images are listed.
    ///
    /// @param firstFrame first frame of the log's run
    /// @param frames     frames in it
    record LogPlace(long firstFrame, int frames, int checkpointUs) {
    }

    /// Where the log is; null if there is none, or what is there is not whole.
    LogPlace logPlaceOrNull() {
        return logPlaceOrNull(load(), region.superblock().frameCount());
    }

    static LogPlace logPlaceOrNull(FieldBuffer raw, long frameCount) {
        LogPlace place = new LogPlace(raw.word("log_first_frame"), raw.int32("log_frames"), raw.int32("checkpoint_us"));
        boolean whole = raw.int32("log_crc") == logCrc(raw) && raw.int32("log_pad") == 0 && place.frames > 0
                && place.firstFrame >= 0 && place.firstFrame + place.frames <= frameCount && place.checkpointUs > 0;
        return whole ? place : null;
    }

    private static int logCrc(FieldBuffer raw) {
        return Crc.of(raw.bytes(), LOG, LOG_END - 4 - LOG);
    }

    /// Writer: the owner, while the commit word says that the VM is not protected.
    void writeLogPlace(LogPlace place) {
        FieldBuffer raw = new FieldBuffer(LAYOUT).word("log_first_frame", place.firstFrame)
                .int32("log_frames", place.frames).int32("checkpoint_us", place.checkpointUs);
        raw.int32("log_crc", logCrc(raw));
        memory.copyIn(raw.bytes(), LOG, base + LOG, LOG_END - LOG);
        memory.persist(base + LOG, LOG_END - LOG);
    }

    void clearLogPlace() {
        memory.zero(base + LOG, LOG_END - LOG);
        memory.persist(base + LOG, LOG_END - LOG);
    }

    /// How often a protected VM is committed, in microseconds; 0 if it is not protected.
    public int checkpointUs() {
        LogPlace place = CommitWord.isProtected(commitAcquire()) ? logPlaceOrNull() : null;
        return place == null ? 0 : place.checkpointUs;
    }

    /// Place 0 is whom the VM was taken from last, the others who was in doubt then.
    long doubtAcquire(int place) {
        return memory.loadAcquire(base + TAKEN_FROM + place * 8L);
    }

    /// Durable with the change of the owner word that follows.
    boolean compareAndSetDoubt(int place, long expect, long next) {
        return memory.compareAndSet(base + TAKEN_FROM + place * 8L, expect, next);
    }

    /// The gate that operations on the VM's pages pass.
    public VmGate gate() {
        return new VmGate(memory, base + GATE);
    }

    /// The VM's pinned ranges.
    public VmPins pins() {
        return new VmPins(region, this);
    }

    /// Pages in the owner's local tier, never fewer than there are: raised before an entry says LOCAL, lowered when
    /// none of them does any more. Writer: the owner.
    public long localPagesAcquire() {
        return memory.loadAcquire(base + LOCAL_PAGES);
    }

    /// Changes [#localPagesAcquire], persisted. IllegalStateException if it would become negative.
    public void addLocalPages(long delta) {
        while (true) {
            long pages = localPagesAcquire();
            if (pages + delta < 0) {
                throw new IllegalStateException("vm slot " + index + ": " + pages + " local pages, change " + delta);
            }
            if (memory.compareAndSet(base + LOCAL_PAGES, pages, pages + delta)) {
                memory.persist(base + LOCAL_PAGES, 8);
                return;
            }
        }
    }

    /// Sets it to what was counted; by the owner in RECOVERING.
    void setLocalPages(long pages) {
        memory.storeRelease(base + LOCAL_PAGES, pages);
    }

    /// What the VM is. Throws [RegionError#REGION_IDENTITY_DAMAGED] if it is not whole, also for a slot without a VM.
    public VmIdentity readIdentity() {
        FieldBuffer raw = load();
        VmIdentity identity = decodeOrNull(raw);
        if (identity == null) {
            throw TomboloException
                    .error(RegionError.REGION_IDENTITY_DAMAGED, "the VM's identity is damaged or not there")
                    .fact("file", region.file()).fact("vm", index).fact("offset", base + IDENTITY)
                    .fact("owner", OwnerWord.describe(ownerAcquire()))
                    .fact("found", "crc 0x" + Integer.toHexString(raw.int32("crc")))
                    .fact("expected", "crc 0x" + Integer.toHexString(raw.crc("uuid")))
                    .next("tombolo region verify " + region.file()).build();
        }
        return identity;
    }

    /// Writer: the host that is CREATING the VM. Not atomic for a reader; the owner word says when it is whole.
    public void writeIdentity(VmIdentity identity) {
        FieldBuffer raw = new FieldBuffer(LAYOUT).uuid("uuid", identity.uuid())
                .word("created_epoch", OwnerWord.epoch(ownerAcquire())).word("memory_bytes", identity.memoryBytes())
                .int32("page_bytes", identity.pageBytes()).int32("vcpus", identity.vcpus())
                .int32("backing", identity.backing().code()).int32("table_frames", identity.tableFrames())
                .word("table_first_frame", identity.tableFirstFrame()).uuid("segment_uuid", identity.segmentUuid())
                .text("name", "name_bytes", identity.name()).text("driver", "driver_bytes", identity.driver());
        raw.int32("crc", raw.crc("uuid"));
        memory.copyIn(raw.bytes(), IDENTITY, base + IDENTITY, IDENTITY_END - IDENTITY);
        memory.persist(base + IDENTITY, IDENTITY_END - IDENTITY);
    }

    /// The identity, or null while it is not there as a whole.
    VmIdentity identityOrNull() {
        return decodeOrNull(load());
    }

    /// Clears everything but the owner word; only in DESTROYING, when no frame of the VM is left.
    void clear() {
        memory.zero(base + IDENTITY, IDENTITY_END - IDENTITY);
        memory.storeRelease(base + ARMED, ArmedWord.NONE);
        memory.storeRelease(base + SPIN, ArmedWord.NONE);
        memory.storeRelease(base + ECHO, 0);
        memory.storeRelease(base + BEAT, 0);
        memory.storeRelease(base + FROM, FromWord.NONE);
        gate().reset();
        memory.storeRelease(base + COMMIT, CommitWord.NONE);
        memory.zero(base + TAKEN_FROM, 8L * (1 + RegionLayout.OWNERS_IN_DOUBT_MAX));
        memory.storeRelease(base + LOCAL_PAGES, 0);
        memory.storeRelease(base + LAYOUT.offset("pins"), 0);
        memory.zero(base + LAYOUT.offset("pin_ranges"), LAYOUT.bytes("pin_ranges"));
    }

    FieldBuffer load() {
        return new FieldBuffer(LAYOUT).load(memory, base, 0, LAYOUT.bytes());
    }

    private VmIdentity decodeOrNull(FieldBuffer raw) {
        return decodeOrNull(raw, region.superblock().frameCount());
    }

    static VmIdentity decodeOrNull(FieldBuffer raw, long frameCount) {
        String name = raw.text("name", "name_bytes");
        String driver = raw.text("driver", "driver_bytes");
        Backing backing = Backing.ofCode(raw.int32("backing"));
        long memoryBytes = raw.word("memory_bytes");
        if (!raw.crcMatches("uuid") || name == null || driver == null || backing == null || raw.int32("vcpus") < 1
                || PageSize.ofBytes(raw.int32("page_bytes")) == null || memoryBytes <= 0
                || memoryBytes % raw.int32("page_bytes") != 0 || memoryBytes > VmIdentity.MEMORY_BYTES_MAX
                || raw.int32("table_frames") < 0 || raw.word("table_first_frame") < 0
                || raw.word("table_first_frame") + raw.int32("table_frames") > frameCount) {
            return null;
        }
        VmIdentity identity = new VmIdentity(raw.uuid("uuid"), name, memoryBytes, raw.int32("page_bytes"),
                raw.int32("vcpus"),
                backing, driver, raw.uuid("segment_uuid"), raw.word("table_first_frame"), raw.int32("table_frames"));
        return identity.tableFrames() == 0 || identity.tableFrames() == identity.tableFramesNeeded() ? identity : null;
    }

    public MetadataSlot metadata(int which) {
        if (which != 0 && which != 1) {
            throw new IndexOutOfBoundsException("metadata slot " + which + " is not 0 or 1");
        }
        return new MetadataSlot(region, index, which);
    }

    /// The VM's page table; reads the identity, so keep the result while the VM stays. Only for [Backing#FRAMES].
    public PageTable pageTable() {
        VmIdentity identity = readIdentity();
        if (identity.tableFrames() == 0) {
            throw TomboloException.error(RegionError.REGION_WRONG_STATE, "the VM has no page table")
                    .fact("file", region.file()).fact("vm", index).fact("backing", identity.backing())
                    .next("only VMs in frames of the region have one, after they are populated").build();
        }
        return new PageTable(region, index, identity);
    }
}
