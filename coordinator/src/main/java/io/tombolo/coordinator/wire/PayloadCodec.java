package io.tombolo.coordinator.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.KryoBufferOverflowException;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.util.Pool;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Messages to payload bytes and back: a 2-byte message id, then the record's fields (docs/wire-protocol.md).
///
/// Kryo holds the registrations (fixed ids, registration required, references off) and the buffers. Its own class
/// dispatch is not used: `readClass` would accept a class name from the peer and load that class before it refuses it,
/// and its varint lengths are not bounded by the bytes that are there.
///
/// Thread safe: Kryo instances come from a pool.
final class PayloadCodec {
    private static final List<Codec<? extends Message>> CODECS = allCodecs();
    /// Kryo itself registers primitives under ids below 10, so being registered is not enough.
    private static final Set<Integer> IDS = CODECS.stream().map(Codec::id).collect(Collectors.toUnmodifiableSet());
    private static final int ID_BYTES = 2;

    private final Pool<Kryo> kryos = new Pool<>(true, false, 16) {
        @Override
        protected Kryo create() {
            return newKryo();
        }
    };

    static List<Codec<? extends Message>> codecs() {
        return CODECS;
    }

    private static List<Codec<? extends Message>> allCodecs() {
        List<Codec<? extends Message>> all = new ArrayList<>();
        all.add(ReplyCodecs.HELLO);
        all.addAll(RequestCodecs.AGENT);
        all.addAll(RequestCodecs.COORDINATOR);
        all.addAll(ReplyCodecs.REPLIES);
        return List.copyOf(all);
    }

    private static Kryo newKryo() {
        Kryo kryo = new Kryo();
        kryo.setRegistrationRequired(true);
        kryo.setReferences(false);
        CODECS.forEach(codec -> register(kryo, codec));
        return kryo;
    }

    private static <T extends Message> void register(Kryo kryo, Codec<T> codec) {
        kryo.register(codec.type(), codec.kryoSerializer(), codec.id());
    }

    /// @throws TomboloException `WIRE_MESSAGE_TOO_LARGE`
    byte[] encode(Message message) {
        Kryo kryo = kryos.obtain();
        // A buffer that grows is copied each time, and the pages of a copy are many.
        int room = message instanceof AgentRequest.CopyPages copy ? copy.bytes().length() + (32 << 10) : 256;
        try (Output out = new Output(room, WireLimits.MAX_PAYLOAD_BYTES)) {
            Registration registration = kryo.getRegistration(message.getClass());
            out.writeShort(registration.getId());
            write(kryo, out, registration, message);
            return out.toBytes();
        } catch (KryoBufferOverflowException e) {
            throw TomboloException.error(CoordinatorError.WIRE_MESSAGE_TOO_LARGE, "a message does not fit a frame")
                    .fact("message", message.getClass().getSimpleName()).fact("limit", WireLimits.MAX_PAYLOAD_BYTES)
                    .cause(e).build();
        } finally {
            kryos.free(kryo);
        }
    }

    // Registered above under the class of exactly this serializer's type.
    @SuppressWarnings("unchecked")
    private static void write(Kryo kryo, Output out, Registration registration, Message message) {
        ((Serializer<Message>) registration.getSerializer()).write(kryo, out, message);
    }

    /// @param payload a whole payload
    /// @throws TomboloException `WIRE_MALFORMED`, and nothing else, whatever the bytes are
    Message decode(byte[] payload) {
        Kryo kryo = kryos.obtain();
        try (Input in = new Input(payload)) {
            if (payload.length < ID_BYTES) {
                throw malformed("the payload has no message id", payload.length, null);
            }
            int id = in.readShortUnsigned();
            if (!IDS.contains(id)) {
                throw malformed("the message id is not known", id, null);
            }
            Message message = read(kryo, in, kryo.getRegistration(id));
            new WireReader(in).end();
            return message;
        } catch (KryoException | IllegalArgumentException e) {
            throw malformed("the payload is not a message", e.getMessage(), e);
        } finally {
            kryos.free(kryo);
        }
    }

    // As above.
    @SuppressWarnings("unchecked")
    private static Message read(Kryo kryo, Input in, Registration registration) {
        return ((Serializer<Message>) registration.getSerializer()).read(kryo, in, registration.getType());
    }

    private static TomboloException malformed(String what, Object found, Throwable cause) {
        return TomboloException.error(CoordinatorError.WIRE_MALFORMED, what).fact("found", found).cause(cause).build();
    }
}
