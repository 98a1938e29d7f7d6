package io.tombolo.coordinator.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// The hand-written serializer of one record: its fields in order of declaration, each as [WireWriter] writes its type.
///
/// @param id   number of the message on the wire, for ever; 0 for a record that only occurs inside others
/// @param type the record
record Codec<T>(int id, Class<T> type, BiConsumer<WireWriter, T> writer, Function<WireReader, T> reader) {
    /// A codec of a record that is no message of its own.
    static <T> Codec<T> inner(Class<T> type, BiConsumer<WireWriter, T> writer, Function<WireReader, T> reader) {
        return new Codec<>(0, type, writer, reader);
    }

    void write(WireWriter out, T value) {
        writer.accept(out, value);
    }

    T read(WireReader in) {
        return reader.apply(in);
    }

    /// The same as a Kryo serializer: references off, null not accepted, immutable.
    Serializer<T> kryoSerializer() {
        return new Serializer<>(false, true) {
            @Override
            public void write(Kryo kryo, Output output, T value) {
                Codec.this.write(new WireWriter(output), value);
            }

            @Override
            public T read(Kryo kryo, Input input, Class<? extends T> concreteType) {
                return Codec.this.read(new WireReader(input));
            }
        };
    }
}
