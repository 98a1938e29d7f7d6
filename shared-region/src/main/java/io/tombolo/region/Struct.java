package io.tombolo.region;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// One structure of the region format: a [StructLayout] (the source of every offset in the code) with, per field, who
/// writes it and what it means. Implicit padding cannot exist: the builder refuses a field that is not naturally
/// aligned, and every byte that is not a field is an explicit reserve that is stored as zero and checked.
public final class Struct {
    /// One field. `reserved` bytes are zero in a sound region.
    public record Field(String name, long offset, long bytes, String type, String writer, String meaning,
            boolean reserved) {
    }

    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// For private copies in byte arrays, which have no alignment and need no atomic access.
    static final ValueLayout.OfLong PRIVATE_LONG = LONG.withByteAlignment(1);
    static final ValueLayout.OfInt PRIVATE_INT = INT.withByteAlignment(1);

    private final String name;
    private final String title;
    private final StructLayout layout;
    private final List<Field> fields;

    private Struct(String name, String title, StructLayout layout, List<Field> fields) {
        this.name = name;
        this.title = title;
        this.layout = layout;
        this.fields = fields;
    }

    static Builder named(String name, String title) {
        return new Builder(name, title);
    }

    public String name() {
        return name;
    }

    /// One line for people.
    public String title() {
        return title;
    }

    public StructLayout layout() {
        return layout;
    }

    public List<Field> fields() {
        return fields;
    }

    public long bytes() {
        return layout.byteSize();
    }

    /// Offset of a field in the structure; throws if there is none of that name.
    public long offset(String field) {
        return layout.byteOffset(PathElement.groupElement(field));
    }

    /// Length of a field in bytes.
    public long bytes(String field) {
        return layout.select(PathElement.groupElement(field)).byteSize();
    }

    /// Builds one structure from its first byte to its last. Not thread safe.
    static final class Builder {
        private record Entry(MemoryLayout layout, String type, String writer, String meaning, boolean reserved) {
        }

        private final String name;
        private final String title;
        private final List<Entry> entries = new ArrayList<>();
        private long at;

        private Builder(String name, String title) {
            this.name = name;
            this.title = title;
        }

        Builder word(String field, String writer, String meaning) {
            return add(LONG.withName(field), "u64", writer, meaning, false);
        }

        Builder int32(String field, String writer, String meaning) {
            return add(INT.withName(field), "u32", writer, meaning, false);
        }

        Builder uuid(String field, String writer, String meaning) {
            return add(MemoryLayout.sequenceLayout(2, LONG).withName(field), "uuid", writer, meaning, false);
        }

        Builder bytes(String field, long count, String writer, String meaning) {
            return add(MemoryLayout.sequenceLayout(count, ValueLayout.JAVA_BYTE).withName(field), "bytes", writer,
                    meaning,
                    false);
        }

        Builder reserved(String field, long count, String meaning) {
            return add(MemoryLayout.sequenceLayout(count, ValueLayout.JAVA_BYTE).withName(field), "zero", "nobody",
                    meaning,
                    true);
        }

        /// Fills with reserve up to `offset`.
        Builder upTo(long offset) {
            return offset == at ? this : reserved("reserved_" + at, offset - at, "reserved, zero");
        }

        private Builder add(MemoryLayout layout, String type, String writer, String meaning, boolean reserved) {
            if (layout.byteSize() <= 0 || at % layout.byteAlignment() != 0) {
                throw new IllegalStateException(name + ": " + layout + " at offset " + at + " is empty or not aligned");
            }
            entries.add(new Entry(layout, type, writer, meaning, reserved));
            at += layout.byteSize();
            return this;
        }

        Struct build(long expectedBytes) {
            if (at != expectedBytes) {
                throw new IllegalStateException(name + ": " + at + " bytes instead of " + expectedBytes);
            }
            StructLayout layout = MemoryLayout
                    .structLayout(entries.stream().map(Entry::layout).toArray(MemoryLayout[]::new))
                    .withName(name);
            List<Field> fields = new ArrayList<>();
            for (Entry entry : entries) {
                String field = entry.layout.name().orElseThrow();
                fields.add(new Field(field, layout.byteOffset(PathElement.groupElement(field)), entry.layout.byteSize(),
                        entry.type, entry.writer, entry.meaning, entry.reserved));
            }
            return new Struct(name, title, layout, List.copyOf(fields));
        }
    }
}
