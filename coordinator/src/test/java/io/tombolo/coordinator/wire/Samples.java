package io.tombolo.coordinator.wire;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/// Instances of every message, and their bytes by the documented rule alone: fields in order of declaration, each by
/// its type. This is a second, independent encoder, by reflection, against which the hand-written ones are checked.
final class Samples {
    private Samples() {
    }

    static List<Class<? extends Message>> messageTypes() {
        List<Class<? extends Message>> types = new ArrayList<>();
        collect(Message.class, types);
        return types;
    }

    private static void collect(Class<?> type, List<Class<? extends Message>> into) {
        if (type.isSealed()) {
            for (Class<?> permitted : type.getPermittedSubclasses()) {
                collect(permitted, into);
            }
        } else if (Message.class.isAssignableFrom(type)) {
            into.add(type.asSubclass(Message.class));
        }
    }

    /// The same instance for the same seed.
    static <T> T sample(Class<T> type, long seed) {
        return record(type, new Random(seed));
    }

    private static <T> T record(Class<T> type, Random random) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            values[i] = value(components[i].getGenericType(), random);
        }
        try {
            var constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (NoSuchMethodException | InstantiationException | IllegalAccessException
                | InvocationTargetException e) {
            throw new LinkageError(type + " cannot be built", e);
        }
    }

    private static Object value(Type type, Random random) {
        if (type instanceof ParameterizedType list) {
            List<Object> values = new ArrayList<>();
            int count = random.nextInt(3);
            for (int i = 0; i < count; i++) {
                values.add(value(list.getActualTypeArguments()[0], random));
            }
            return values;
        }
        Class<?> plain = (Class<?>) type;
        if (plain == int.class) {
            return random.nextInt();
        } else if (plain == long.class || plain == Long.class) {
            return random.nextLong();
        } else if (plain == boolean.class) {
            return random.nextBoolean();
        } else if (plain == UUID.class) {
            return new UUID(random.nextLong(), random.nextLong());
        } else if (plain == String.class) {
            return random.ints(random.nextInt(12), 0, 6).mapToObj(i -> List.of("a", "B", "0", "-", "ü", "€").get(i))
                    .reduce("", String::concat);
        } else if (plain == Bytes.class) {
            byte[] bytes = new byte[random.nextInt(6)];
            random.nextBytes(bytes);
            return Bytes.copyOf(bytes);
        } else if (plain.isEnum()) {
            return plain.getEnumConstants()[random.nextInt(plain.getEnumConstants().length)];
        }
        return record(plain, random);
    }

    /// The payload of a message by the rule of docs/wire-protocol.md.
    static byte[] payloadByTheRule(int id, Message message) {
        ByteBuffer out = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        out.putShort((short) id);
        encode(message, out);
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    private static void encode(Object value, ByteBuffer out) {
        switch (value) {
            case Integer i -> out.putInt(i);
            case Long l -> out.putLong(l);
            case Boolean b -> out.put((byte) (b ? 1 : 0));
            case UUID u -> out.putLong(u.getMostSignificantBits()).putLong(u.getLeastSignificantBits());
            case Enum<?> e -> out.put((byte) List.of(e.getDeclaringClass().getEnumConstants()).indexOf(e));
            case String s -> {
                byte[] utf8 = s.getBytes(StandardCharsets.UTF_8);
                out.putShort((short) utf8.length).put(utf8);
            }
            case Bytes bytes -> {
                out.putInt(bytes.length());
                for (int i = 0; i < bytes.length(); i++) {
                    out.put(bytes.at(i));
                }
            }
            case List<?> list -> {
                out.putShort((short) list.size());
                list.forEach(element -> encode(element, out));
            }
            case Record r -> {
                for (RecordComponent component : r.getClass().getRecordComponents()) {
                    try {
                        var accessor = component.getAccessor();
                        accessor.setAccessible(true);
                        encode(accessor.invoke(r), out);
                    } catch (IllegalAccessException | InvocationTargetException e) {
                        throw new LinkageError(component.toString(), e);
                    }
                }
            }
            default -> throw new AssertionError("no rule for " + value.getClass());
        }
    }

    /// Name of the field's type in the document.
    static String documentedType(Type type) {
        if (type instanceof ParameterizedType list) {
            return "list of " + documentedType(list.getActualTypeArguments()[0]);
        }
        Class<?> plain = (Class<?>) type;
        if (plain == int.class) {
            return "i32";
        } else if (plain == long.class || plain == Long.class) {
            return "i64";
        } else if (plain == boolean.class) {
            return "bool";
        } else if (plain == UUID.class) {
            return "uuid";
        } else if (plain == String.class) {
            return "string";
        } else if (plain == Bytes.class) {
            return "bytes";
        }
        return plain.getSimpleName();
    }
}
