package io.tombolo.coordinator.zk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// Records to znode payloads and back: JSON with the record's components as keys and the payload version as `v`. A
/// payload with another version is refused, and so is one with a key more or less than the record has.
final class ZnodeJson {
    static final int VERSION = 3;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    private ZnodeJson() {
    }

    static byte[] write(Record value) {
        ObjectNode node = MAPPER.valueToTree(value);
        node.put("v", VERSION);
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(value + " cannot be written", e);
        }
    }

    static String text(Record value) {
        return new String(write(value), StandardCharsets.UTF_8);
    }

    /// @throws TomboloException `ZNODE_DAMAGED` or `ZNODE_VERSION_UNKNOWN`
    static <T extends Record> T read(String path, byte[] bytes, Class<T> type) {
        try {
            JsonNode node = MAPPER.readTree(bytes);
            if (!(node instanceof ObjectNode object) || !object.path("v").isInt()) {
                throw damaged(path, "not a JSON object with a version", null);
            }
            int version = object.remove("v").intValue();
            if (version != VERSION) {
                throw TomboloException
                        .error(CoordinatorError.ZNODE_VERSION_UNKNOWN, "the payload of a znode has another version")
                        .fact("path", path).fact("found", version).fact("expected", VERSION)
                        .next("run the release that wrote it").build();
            }
            return MAPPER.treeToValue(object, type);
        } catch (IOException e) {
            throw damaged(path, e.getMessage(), e);
        }
    }

    private static TomboloException damaged(String path, String why, Throwable cause) {
        return TomboloException.error(CoordinatorError.ZNODE_DAMAGED, "the payload of a znode is not what it should be")
                .fact("path", path).fact("cause", why).cause(cause).build();
    }
}
