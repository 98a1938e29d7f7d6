package io.tombolo.coordinator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Reads a YAML file into a record, one key per component, nested records for nested keys; units are in the keys. Keys
/// are required unless marked [Defaulted]; a key that no component has is an error, because it is a misspelt one or one
/// that the writer believes to have an effect. The record's constructor checks the values, see [#check].
public final class ConfigFile {
    /// A configuration is a page of text; anything of this size is another file.
    private static final long MAX_BYTES = 1 << 20;

    private static final YAMLMapper MAPPER = YAMLMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT).disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();

    private ConfigFile() {
    }

    /// Reads and checks a file.
    ///
    /// @param type a record
    /// @throws TomboloException one of the `CONFIG_` errors, with the file and the key
    public static <T extends Record> T load(Path file, Class<T> type) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw TomboloException.error(CoordinatorError.CONFIG_MALFORMED, "the file is too long")
                        .fact("file", file).fact("bytes", Files.size(file)).fact("limit", MAX_BYTES).build();
            }
            return parse(file.toString(), Files.readString(file), type);
        } catch (IOException e) {
            String why = e instanceof NoSuchFileException ? "no such file" : e.toString();
            throw TomboloException.error(CoordinatorError.CONFIG_UNREADABLE, "the configuration file cannot be read")
                    .fact("file", file).fact("cause", why).next("check the path given with --config").cause(e).build();
        }
    }

    /// Reads and checks a text.
    ///
    /// @param origin name of the text for messages
    public static <T extends Record> T parse(String origin, String text, Class<T> type) {
        try {
            JsonNode tree = MAPPER.readTree(text);
            if (!(tree instanceof ObjectNode root)) {
                throw TomboloException.error(CoordinatorError.CONFIG_MALFORMED, "the file is not a list of keys")
                        .fact("file", origin).build();
            }
            complete(origin, "", root, type);
            return MAPPER.treeToValue(root, type);
        } catch (JsonProcessingException e) {
            throw malformed(origin, e);
        }
    }

    /// Writes a configuration as it would be read, for sample files and for processes that start others.
    public static String format(Record config) {
        try {
            return MAPPER.writeValueAsString(config);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(config + " cannot be written", e);
        }
    }

    private static void complete(String origin, String prefix, ObjectNode node, Class<?> type)
            throws JsonProcessingException {
        RecordComponent[] components = type.getRecordComponents();
        Set<String> known = Stream.of(components).map(RecordComponent::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        for (String key : node.properties().stream().map(java.util.Map.Entry::getKey).toList()) {
            if (!known.contains(key)) {
                throw TomboloException
                        .error(CoordinatorError.CONFIG_UNKNOWN_KEY, "the configuration has an unknown key")
                        .fact("file", origin).fact("key", prefix + key).fact("known", String.join(",", known))
                        .next("correct or remove the key").build();
            }
        }
        for (RecordComponent component : components) {
            JsonNode value = node.get(component.getName());
            if (value == null || value.isNull()) {
                Defaulted byDefault = component.getAnnotation(Defaulted.class);
                if (byDefault == null) {
                    throw TomboloException
                            .error(CoordinatorError.CONFIG_MISSING_KEY, "the configuration lacks a required key")
                            .fact("file", origin).fact("key", prefix + component.getName())
                            .fact("type", component.getType().getSimpleName()).next("add the key").build();
                }
                value = MAPPER.readTree(byDefault.value());
                node.set(component.getName(), value);
            }
            if (component.getType().isRecord() && value instanceof ObjectNode inner) {
                complete(origin, prefix + component.getName() + ".", inner, component.getType());
            }
        }
    }

    private static TomboloException malformed(String origin, JsonProcessingException failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof TomboloException known) {
                TomboloException.Builder error = TomboloException.error(known.code(), known.what()).fact("file",
                        origin);
                known.facts().forEach(error::fact);
                return error.next(known.next()).cause(failure).build();
            }
        }
        TomboloException.Builder error = TomboloException
                .error(CoordinatorError.CONFIG_MALFORMED, "the configuration cannot be read").fact("file", origin);
        if (failure instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            error.fact("key", mapping.getPath().stream().map(JsonMappingException.Reference::getFieldName)
                    .collect(Collectors.joining(".")));
        }
        if (failure.getLocation() != null && failure.getLocation().getLineNr() > 0) {
            error.fact("line", failure.getLocation().getLineNr());
        }
        return error.fact("cause", failure.getOriginalMessage()).next("correct the file").cause(failure).build();
    }

    /// For the constructors of configuration records.
    ///
    /// @throws TomboloException `CONFIG_INVALID_VALUE` when `holds` is false; [#load] adds the file
    public static void check(boolean holds, String key, Object found, String expected) {
        if (!holds) {
            throw TomboloException.error(CoordinatorError.CONFIG_INVALID_VALUE, "the configuration has a wrong value")
                    .fact("key", key).fact("found", found).fact("expected", expected).next("correct the value").build();
        }
    }
}
