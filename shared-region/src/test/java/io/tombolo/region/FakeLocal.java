package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.TreeSet;

/// A local tier of numbers only; refuses to take back what it has not given out.
final class FakeLocal implements LocalFrames {
    private final TreeSet<Long> free = new TreeSet<>();
    private final int frames;

    FakeLocal(int frames) {
        this.frames = frames;
        for (long frame = 0; frame < frames; frame++) {
            free.add(frame);
        }
    }

    int taken() {
        return frames - free.size();
    }

    @Override
    public int take(PageSize size, int count, long[] into) {
        int got = 0;
        for (long first = 0; first + size.frames() <= frames && got < count; first += size.frames()) {
            if (free.subSet(first, first + size.frames()).size() == size.frames()) {
                free.subSet(first, first + size.frames()).clear();
                into[got++] = first;
            }
        }
        return got;
    }

    @Override
    public void give(PageSize size, long[] given, int count) {
        for (int i = 0; i < count; i++) {
            for (long frame = given[i]; frame < given[i] + size.frames(); frame++) {
                assertThat(frame).isBetween(0L, frames - 1L);
                assertThat(free.add(frame)).as("frame %d was taken", frame).isTrue();
            }
        }
    }
}
