package io.tombolo.region;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Looks at everything in a region and says what cannot be. It changes nothing.
///
/// While hosts are at work a single look can catch an operation between two of its stores. Therefore, if any host is
/// live, a finding counts only if three looks in a row have it. VMs that are being created or destroyed are left out of
/// the comparison of tables with frame words; everything else of them is checked.
///
/// Not seen by design, because the words have no redundancy: a wrong epoch, intent, tag, flag, nonce or echo value, and
/// a state changed into another one that is legal at the same place. docs/region-format.md lists them; a test flips
/// every bit.
public final class RegionVerifier {
    private static final int PASSES_WHEN_LIVE = 3;

    private RegionVerifier() {
    }

    /// Verifies an open region.
    public static VerifyReport verify(Region region) {
        VerifyPass pass = look(region);
        boolean live = pass.counts.getOrDefault("host LIVE", 0L) > 0;
        List<Finding> findings = pass.findings;
        int passes = 1;
        while (live && !findings.isEmpty() && passes < PASSES_WHEN_LIVE) {
            passes++;
            Set<Finding> again = new HashSet<>(look(region).findings);
            findings = findings.stream().filter(again::contains).toList();
        }
        Map<String, Long> counts = new TreeMap<>(pass.counts);
        counts.remove("findings");
        counts.put("passes", (long) passes);
        return new VerifyReport(region.file(), List.copyOf(findings), counts);
    }

    /// Verifies a file; what keeps it from being opened is the one finding of the report.
    public static VerifyReport verify(Path file) {
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            return verify(region);
        } catch (TomboloException e) {
            return new VerifyReport(file, List.of(refused(e)), Map.of());
        }
    }

    private static Finding refused(TomboloException e) {
        Map<String, String> facts = e.facts();
        return new Finding(Finding.Code.SUPERBLOCK,
                "superblock " + e.code().name() + " " + facts.getOrDefault("field", ""),
                Long.parseLong(facts.getOrDefault("offset", "0")), facts.getOrDefault("found", "unknown"),
                facts.getOrDefault("expected", e.what()), e.next());
    }

    private static VerifyPass look(Region region) {
        VerifyPass pass = new VerifyPass(region);
        try {
            region.guarded(() -> {
                superblock(pass);
                hosts(pass);
                VmChecks.check(pass);
                FrameChecks.check(pass);
                SegmentChecks.check(pass);
                return pass;
            });
        } catch (TomboloException e) {
            // Truncated while we look, or the like: the reason is the finding.
            pass.findings.add(refused(e));
        }
        return pass;
    }

    private static void superblock(VerifyPass pass) {
        Region region = pass.region;
        FieldBuffer raw = new FieldBuffer(RegionLayout.SUPERBLOCK).load(pass.memory, 0, 0,
                RegionLayout.SUPERBLOCK.bytes());
        try {
            Superblock found = SuperblockReader.check(raw, region.file(), pass.memory.bytes(), OpenOptions.inspect());
            if (!found.equals(region.superblock())) {
                pass.add(Finding.Code.SUPERBLOCK, "superblock", 0, found, region.superblock());
            }
        } catch (TomboloException e) {
            pass.findings.add(refused(e));
        }
        pass.reserved(RegionLayout.SUPERBLOCK, "superblock", raw, 0);
        Superblock plan = region.superblock();
        pass.gap("gap after host slots", plan.hostOffset() + plan.hostSlots() * RegionLayout.HOST_SLOT.bytes(),
                plan.vmOffset());
        pass.gap("gap after vm slots", plan.vmOffset() + plan.vmSlots() * RegionLayout.VM_SLOT.bytes(),
                plan.metadataOffset());
        pass.gap("gap after block owners", plan.blockOffset() + plan.blockCount() * 8, plan.frameOffset());
        pass.gap("gap after frame words", plan.frameOffset() + plan.frameCount() * 8, plan.dataOffset());
    }

    private static void hosts(VerifyPass pass) {
        for (int i = 0; i < pass.hosts.length; i++) {
            HostSlot host = pass.region.host(i);
            long word = host.wordAcquire();
            pass.hosts[i] = word;
            String name = "host_slot " + i;
            HostState state = SlotWord.state(word);
            pass.count("host " + state);
            if (state == null || SlotWord.incarnation(word) > SlotWord.INCARNATION_MAX) {
                pass.add(Finding.Code.ILLEGAL_WORD, name + " word", host.base(), SlotWord.describe(word),
                        "a known state, incarnation below 2^48");
            }
            FieldBuffer raw = host.load();
            pass.reserved(RegionLayout.HOST_SLOT, name, raw, host.base());
            if (state == HostState.LIVE && (HostSlot.decodeOrNull(raw) == null
                    || raw.word("incarnation") != SlotWord.incarnation(word))) {
                pass.add(Finding.Code.CHECKSUM, name + " identity", host.base() + HostSlot.IDENTITY,
                        "crc " + SuperblockReader.hex(raw.int32("crc")) + " incarnation " + raw.word("incarnation"),
                        "crc " + SuperblockReader.hex(raw.crc("incarnation")) + " incarnation "
                                + SlotWord.incarnation(word));
            }
            if (word == 0 && !raw.allZero(HostSlot.IDENTITY, HostSlot.IDENTITY_END)) {
                pass.add(Finding.Code.FREE_BUT_NOT_EMPTY, name + " identity", host.base() + HostSlot.IDENTITY,
                        "contents",
                        "0 in a slot that was never claimed");
            }
        }
    }
}
