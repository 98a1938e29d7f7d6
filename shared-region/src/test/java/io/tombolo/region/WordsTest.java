package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordsTest {
    @Test
    void packsWordsAsTheFormatSays() {
        assertThat(OwnerWord.pack(OwnerState.LOST, 0xABC, 0x1234_5678_9ABCL)).isEqualTo(0x8ABC_1234_5678_9ABCL);
        assertThat(SlotWord.pack(HostState.FAILED, 0x123)).isEqualTo(0x6000_0000_0000_0123L);
        assertThat(FrameWord.pack(FrameState.RESERVED, 0xABC, 0x1234, 0x89AB_CDEFL)).isEqualTo(0x1ABC_1234_89AB_CDEFL);
        assertThat(PageTableEntry.pack(PteState.PRESENT, Tier.LOCAL, 0x9_8765_4321L, 0xABCD, 5))
                .isEqualTo(0x1198_7654_321A_BCD5L);
        assertThat(ArmedWord.pack(0x9_8765_4321L, 0xABC, 0x7_1234)).isEqualTo(0x9876_5432_1ABC_1234L);
        assertThat(FromWord.pack(0xABC, 0x1234_5678_9ABCL)).isEqualTo(0x0ABC_1234_5678_9ABCL);
        assertThat(BlockWord.owned(0xABC, 7)).isEqualTo(0x1ABC_0000_0000_0007L);
    }

    @Test
    void unpacksWhatItPacked() {
        long owner = OwnerWord.pack(OwnerState.LOST, 4094, OwnerWord.EPOCH_MAX);
        assertThat(OwnerWord.state(owner)).isEqualTo(OwnerState.LOST);
        assertThat(OwnerWord.slot(owner)).isEqualTo(4094);
        assertThat(OwnerWord.epoch(owner)).isEqualTo(OwnerWord.EPOCH_MAX);
        long frame = FrameWord.pack(FrameState.QUARANTINED, 4094, 65535, 0xFFFF_FFFFL);
        assertThat(FrameWord.state(frame)).isEqualTo(FrameState.QUARANTINED);
        assertThat(FrameWord.slot(frame)).isEqualTo(4094);
        assertThat(FrameWord.vm(frame)).isEqualTo(65535);
        assertThat(FrameWord.page(frame)).isEqualTo(0xFFFF_FFFFL);
        long entry = PageTableEntry.pack(PteState.COPYING, Tier.LOCAL, (1L << 36) - 1, 0xFFFF, 0xF);
        assertThat(PageTableEntry.state(entry)).isEqualTo(PteState.COPYING);
        assertThat(PageTableEntry.tier(entry)).isEqualTo(Tier.LOCAL);
        assertThat(PageTableEntry.frame(entry)).isEqualTo((1L << 36) - 1);
        assertThat(PageTableEntry.tag(entry)).isEqualTo(0xFFFF);
        assertThat(PageTableEntry.nextTag(entry)).isZero();
        assertThat(PageTableEntry.flags(entry)).isEqualTo(0xF);
        assertThat(PageTableEntry.isPresentShared(PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, 9, 1, 0)))
                .isTrue();
        assertThat(PageTableEntry.isPresentShared(PageTableEntry.pack(PteState.MIGRATING, Tier.SHARED, 9, 1, 0)))
                .isFalse();
        long armed = ArmedWord.pack(ArmedWord.INTENT_MAX, 4094, 0x1_FFFF);
        assertThat(ArmedWord.intentSeq(armed)).isEqualTo(ArmedWord.INTENT_MAX);
        assertThat(ArmedWord.target(armed)).isEqualTo(4094);
        assertThat(ArmedWord.epochLow(armed)).isEqualTo(0xFFFF);
    }

    @Test
    void refusesFieldsThatDoNotFit() {
        assertThatThrownBy(() -> OwnerWord.pack(OwnerState.RUNNING, 4096, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> OwnerWord.pack(OwnerState.RUNNING, -1, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> OwnerWord.pack(OwnerState.RUNNING, 0, 1L << 48))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FrameWord.used(65536, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FrameWord.used(0, 1L << 32)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ArmedWord.pack(0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesToGoBeyondTheLastEpoch() {
        long last = OwnerWord.pack(OwnerState.RUNNING, 1, OwnerWord.EPOCH_MAX);
        assertThatThrownBy(() -> OwnerWord.nextEpoch(last)).hasMessageStartingWith("REGION_EPOCH_EXHAUSTED");
        assertThat(OwnerState.permits(last, OwnerWord.pack(OwnerState.RUNNING, 1, 0))).isFalse();
    }

    /// All pairs of states, same or other host, epoch -1 to +2: the permitted changes are exactly these.
    @Test
    void permitsExactlyTheTransitionsOfTheProtocol() {
        List<String> permitted = new ArrayList<>();
        for (OwnerState from : OwnerState.values()) {
            for (OwnerState to : OwnerState.values()) {
                for (int step = -1; step <= 2; step++) {
                    for (int host : new int[]{3, 5}) {
                        long now = OwnerWord.pack(from, from == OwnerState.FREE ? 0 : 3, 10);
                        long next = OwnerWord.pack(to, to == OwnerState.FREE ? 0 : host, 10 + step);
                        if (OwnerState.permits(now, next)) {
                            permitted.add(from + " " + to + " +" + step + (host == 3 ? " same" : " other"));
                        }
                    }
                }
            }
        }
        permitted.removeIf(change -> change.contains(" RECOVERING +1") && !change.startsWith("PAUSED")
                && !change.startsWith("OFFERED"));
        assertThat(permitted).containsExactlyInAnyOrder("FREE CREATING +1 same", "FREE CREATING +1 other",
                "CREATING RUNNING +0 same", "CREATING PAUSED +0 same", "CREATING DESTROYING +1 same",
                "CREATING DESTROYING +1 other", "RUNNING RUNNING +1 same", "RUNNING PAUSED +1 same",
                "PAUSED RUNNING +1 same",
                "RUNNING OFFERED +1 other", "OFFERED RUNNING +0 same", "OFFERED RUNNING +1 other",
                "OFFERED CLAIMED +0 same",
                "OFFERED OFFERED +1 same", "OFFERED OFFERED +1 other", "CLAIMED RUNNING +0 same",
                "CLAIMED OFFERED +1 other",
                "PAUSED RESTORING +1 same", "PAUSED RESTORING +1 other", "OFFERED RESTORING +1 same",
                "OFFERED RESTORING +1 other", "RESTORING RESTORING +1 same", "RESTORING RESTORING +1 other",
                "RESTORING RUNNING +0 same", "RESTORING PAUSED +0 same", "RESTORING LOST +0 same",
                "RESTORING DESTROYING +1 same", "RECOVERING RUNNING +0 same", "RECOVERING PAUSED +0 same",
                "RECOVERING LOST +0 same", "RUNNING DESTROYING +1 same", "PAUSED DESTROYING +1 same",
                "RECOVERING DESTROYING +1 same",
                "LOST DESTROYING +1 same", "LOST DESTROYING +1 other", "DESTROYING DESTROYING +1 other",
                "DESTROYING FREE +0 same", "DESTROYING FREE +0 other");
    }

    @Test
    void neverBringsAHostBackToLive() {
        for (HostState from : HostState.values()) {
            assertThat(from.mayBecome(HostState.LIVE)).as(from.name()).isEqualTo(from == HostState.CLAIMING);
        }
        assertThat(HostState.permits(SlotWord.pack(HostState.FREE, 4), SlotWord.pack(HostState.CLAIMING, 5))).isTrue();
        assertThat(HostState.permits(SlotWord.pack(HostState.FREE, 4), SlotWord.pack(HostState.CLAIMING, 4))).isFalse();
        assertThat(HostState.permits(SlotWord.pack(HostState.LIVE, 4), SlotWord.pack(HostState.FENCING, 5))).isFalse();
    }

    @Test
    void letsTheSourceTakeBackOnlyAtTheEpochOfItsOffer() {
        long from = FromWord.pack(3, 8);
        assertThat(FromWord.allows(from, 3, OwnerWord.pack(OwnerState.OFFERED, 4, 8))).isTrue();
        assertThat(FromWord.allows(from, 3, OwnerWord.pack(OwnerState.OFFERED, 4, 9))).isFalse();
        assertThat(FromWord.allows(from, 2, OwnerWord.pack(OwnerState.OFFERED, 4, 8))).isFalse();
        assertThat(FromWord.allows(from, 3, OwnerWord.pack(OwnerState.CLAIMED, 4, 8))).isFalse();
        assertThat(FromWord.allows(FromWord.NONE, 0, OwnerWord.pack(OwnerState.OFFERED, 4, 0))).isFalse();
    }
}
