package io.tombolo.coordinator.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class PayloadCodecTest {
    private static final int SAMPLES = 50;

    private final PayloadCodec codec = new PayloadCodec();

    private static Map<String, String> golden() throws IOException {
        try (InputStream in = PayloadCodecTest.class.getResourceAsStream("/wire/golden.txt")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().filter(line -> !line.startsWith("#"))
                    .collect(Collectors.toMap(line -> line.split(" ", 2)[0], line -> line.split(" ", 2)[1]));
        }
    }

    @TestFactory
    Stream<DynamicTest> writesTheGoldenBytes() throws IOException {
        Map<String, String> golden = golden();
        return Samples.messageTypes().stream().map(type -> DynamicTest.dynamicTest(type.getSimpleName(), () -> {
            Message message = Samples.sample(type, 42);
            String hex = HexFormat.of().formatHex(codec.encode(message));
            assertThat(golden.get(type.getSimpleName())).as("golden bytes of %s: %s", message, hex).isEqualTo(hex);
            assertThat(codec.decode(HexFormat.of().parseHex(golden.get(type.getSimpleName())))).isEqualTo(message);
        }));
    }

    /// Writes the file anew, for a new protocol major or for messages that were added: `-Dtombolo.golden.update=true`.
    @BeforeAll
    static void writeTheGoldenFileWhenAsked() throws IOException {
        if (!Boolean.getBoolean("tombolo.golden.update")) {
            return;
        }
        PayloadCodec codec = new PayloadCodec();
        Map<Class<?>, Integer> ids = PayloadCodec.codecs().stream().collect(Collectors.toMap(Codec::type, Codec::id));
        String head = "# Payload bytes of one sample per message, protocol major " + Protocol.MAJOR
                + ". They never change within a major: a change here breaks every running cluster of another release.\n";
        Files.writeString(Path.of("src/test/resources/wire/golden.txt"), Samples.messageTypes().stream()
                .sorted((a, b) -> ids.get(a) - ids.get(b))
                .map(type -> type.getSimpleName() + " "
                        + HexFormat.of().formatHex(codec.encode(Samples.sample(type, 42))) + "\n")
                .collect(Collectors.joining("", head, "")));
    }

    @Test
    void hasGoldenBytesOfNothingElse() throws IOException {
        assertThat(golden().keySet()).containsExactlyInAnyOrderElementsOf(
                Samples.messageTypes().stream().map(Class::getSimpleName).toList());
    }

    @Test
    void hasOneCodecPerMessageAndOneIdPerCodec() {
        assertThat(PayloadCodec.codecs().stream().<Object>map(Codec::type).toList())
                .containsExactlyInAnyOrderElementsOf(Samples.messageTypes());
        assertThat(PayloadCodec.codecs().stream().map(Codec::id).toList()).doesNotHaveDuplicates();
    }

    @Test
    void writesEveryMessageByTheDocumentedRuleAndReadsItBack() {
        for (Codec<? extends Message> one : PayloadCodec.codecs()) {
            for (long seed = 0; seed < SAMPLES; seed++) {
                Message message = Samples.sample(one.type(), seed);
                byte[] bytes = codec.encode(message);
                assertThat(bytes).as("%s, seed %d", message, seed)
                        .isEqualTo(Samples.payloadByTheRule(one.id(), message));
                assertThat(codec.decode(bytes)).isEqualTo(message);
            }
        }
    }

    @Test
    void refusesEveryTruncationAndEveryExtension() {
        for (Codec<? extends Message> one : PayloadCodec.codecs()) {
            byte[] bytes = codec.encode(Samples.sample(one.type(), 7));
            for (int length = 0; length < bytes.length; length++) {
                assertMalformed(Arrays.copyOf(bytes, length));
            }
            assertMalformed(Arrays.copyOf(bytes, bytes.length + 1));
        }
    }

    @Test
    void refusesMutatedPayloadsWithTheDefinedErrorOnly() {
        long seed = System.nanoTime();
        System.out.println("PayloadCodecTest seed " + seed);
        Random random = new Random(seed);
        List<Class<? extends Message>> types = Samples.messageTypes();
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = codec.encode(Samples.sample(types.get(random.nextInt(types.size())), random.nextLong()));
            int changes = 1 + random.nextInt(4);
            for (int c = 0; c < changes; c++) {
                bytes[random.nextInt(bytes.length)] = (byte) (random.nextInt(3) == 0 ? 0xFF : random.nextInt());
            }
            decodeOrRefuse(bytes, seed, i);
        }
    }

    @Test
    void refusesNoiseWithTheDefinedErrorOnly() {
        long seed = System.nanoTime();
        System.out.println("PayloadCodecTest seed " + seed);
        Random random = new Random(seed);
        List<Codec<? extends Message>> codecs = PayloadCodec.codecs();
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = new byte[2 + random.nextInt(100)];
            random.nextBytes(bytes);
            int id = codecs.get(random.nextInt(codecs.size())).id();
            bytes[0] = (byte) id;
            bytes[1] = (byte) (id >> 8);
            decodeOrRefuse(bytes, seed, i);
        }
    }

    /// The same payload by which a varint length of 2^31-1 exhausts the heap of a stock Kryo serializer, in our
    /// encoding: lists and strings that claim the most elements their counts can say, and nothing behind.
    @Test
    void allocatesNothingForALengthThatTheBytesDoNotHold() {
        byte[] list = {96 + 4, 0, (byte) 0xFF, (byte) 0xFF};
        byte[] string = {22, 0, (byte) 0xFF, (byte) 0xFF};
        byte[] row = {112, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
        byte[] endless = row.clone();
        endless[25] = (byte) 0x7F;
        byte[] negative = row.clone();
        negative[25] = (byte) 0x80;
        long before = allocatedBytes();
        for (int i = 0; i < 100; i++) {
            assertMalformed(list);
            assertMalformed(string);
            assertMalformed(row);
            assertMalformed(endless);
            assertMalformed(negative);
        }
        assertThat(allocatedBytes() - before).as("bytes allocated by 500 refusals").isLessThan(16L << 20);
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    private void decodeOrRefuse(byte[] bytes, long seed, int step) {
        try {
            Message message = codec.decode(bytes);
            assertThat(codec.encode(message)).as("a decoded message has one encoding; seed %d step %d", seed, step)
                    .isEqualTo(bytes);
        } catch (TomboloException e) {
            assertThat(e.code()).as("seed %d step %d", seed, step).isEqualTo(CoordinatorError.WIRE_MALFORMED);
        }
    }

    private void assertMalformed(byte[] bytes) {
        assertThatThrownBy(() -> codec.decode(bytes)).isInstanceOfSatisfying(TomboloException.class,
                e -> assertThat(e.code()).isEqualTo(CoordinatorError.WIRE_MALFORMED));
    }

    @Test
    void refusesUnknownIdsAndThoseThatKryoRegistersByItself() {
        for (int id = 0; id < 300; id++) {
            int current = id;
            if (PayloadCodec.codecs().stream().noneMatch(c -> c.id() == current)) {
                assertMalformed(new byte[]{(byte) id, (byte) (id >> 8), 0, 0, 0, 0});
            }
        }
    }

    @Test
    void refusesAMessageThatDoesNotFitAFrame() {
        InputEntry entry = new InputEntry(0, 0, 0, 0, "x".repeat(1_000), Collections.nCopies(100, 1L));
        Reply.InputLog log = new Reply.InputLog(0, Collections.nCopies(1_000, entry), 1_000);
        assertThatThrownBy(() -> codec.encode(log)).isInstanceOfSatisfying(TomboloException.class,
                e -> assertThat(e.code()).isEqualTo(CoordinatorError.WIRE_MESSAGE_TOO_LARGE));
        assertThatThrownBy(
                () -> codec.encode(new AgentRequest.ShowVm("x".repeat(WireLimits.MAX_STRING_BYTES + 1))))
                .isInstanceOfSatisfying(TomboloException.class,
                        e -> assertThat(e.code()).isEqualTo(CoordinatorError.WIRE_MESSAGE_TOO_LARGE));
    }

    @Test
    void refusesARowOfMoreBytesThanACallHasPages() {
        Bytes row = Bytes.copyOf(new byte[WireLimits.MAX_PAGE_BYTES]);
        Reply.PagesMoved most = new Reply.PagesMoved(1L << 40, 4096, WireLimits.MAX_PAGE_BYTES, 0, row, row);
        assertThat(codec.decode(codec.encode(most))).isEqualTo(most);
        Bytes more = Bytes.copyOf(new byte[WireLimits.MAX_PAGE_BYTES + 1]);
        assertThatThrownBy(() -> codec.encode(new Reply.PagesMoved(1, 4096, 1, 0, more, row)))
                .isInstanceOfSatisfying(TomboloException.class,
                        e -> assertThat(e.code()).isEqualTo(CoordinatorError.WIRE_MESSAGE_TOO_LARGE));
    }

    @Test
    void theLargestMessageOfACopyFitsAFrame() {
        List<AgentRequest.CopyRun> runs = Collections.nCopies(WireLimits.MAX_COPY_RUNS,
                new AgentRequest.CopyRun(1L << 40, 1, false));
        AgentRequest.CopyPages most = new AgentRequest.CopyPages(1, 2, 3, runs,
                Bytes.owning(new byte[WireLimits.MAX_COPY_BYTES]));
        assertThat(codec.decode(codec.encode(most))).isEqualTo(most);
        AgentRequest.CopyPages more = new AgentRequest.CopyPages(1, 2, 3, List.of(),
                Bytes.owning(new byte[WireLimits.MAX_COPY_BYTES + 1]));
        assertThatThrownBy(() -> codec.encode(more)).isInstanceOfSatisfying(TomboloException.class,
                e -> assertThat(e.code()).isEqualTo(CoordinatorError.WIRE_MESSAGE_TOO_LARGE));
    }

    @Test
    void allocatesNothingForCopiedBytesThatAreNotThere() {
        // No runs, and then a count of bytes with nothing behind it.
        for (int claimed : new int[]{-1, Integer.MAX_VALUE, WireLimits.MAX_COPY_BYTES + 1, 4096}) {
            ByteBuffer bytes = ByteBuffer.allocate(2 + 20 + 2 + 4).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putShort(0, (short) 38).putInt(24, claimed);
            assertMalformed(bytes.array());
        }
    }

    @Test
    void refusesTextThatIsNotUtf8() {
        assertMalformed(new byte[]{22, 0, 2, 0, (byte) 0xC3, 0x28});
    }

    /// The tables in the document are what the code does: they are written by this rule.
    @Test
    void documentsEveryMessageFieldByField() throws IOException {
        String document = Files.readString(Path.of("..", "docs", "wire-protocol.md"));
        String expected = Stream.of(messageTable(), recordTable(), enumTable()).collect(Collectors.joining("\n\n"));
        assertThat(document).as("docs/wire-protocol.md must contain:%n%s", expected).contains(messageTable())
                .contains(recordTable()).contains(enumTable());
    }

    private static String messageTable() {
        Map<Class<?>, Integer> ids = PayloadCodec.codecs().stream().collect(Collectors.toMap(Codec::type, Codec::id));
        return "| id | message | fields |\n|---|---|---|\n" + Samples.messageTypes().stream()
                .sorted((a, b) -> ids.get(a) - ids.get(b))
                .map(type -> "| " + ids.get(type) + " | " + type.getSimpleName() + " | " + fields(type) + " |")
                .collect(Collectors.joining("\n"));
    }

    private static String recordTable() {
        return "| record | fields |\n|---|---|\n"
                + inner(Class::isRecord).stream().map(type -> "| " + type.getSimpleName() + " | " + fields(type) + " |")
                        .collect(Collectors.joining("\n"));
    }

    private static String enumTable() {
        return "| enum | values from 0 |\n|---|---|\n" + inner(Class::isEnum).stream()
                .map(type -> "| " + type.getSimpleName() + " | " + Stream.of(type.getEnumConstants())
                        .map(Object::toString).collect(Collectors.joining(", ")) + " |")
                .collect(Collectors.joining("\n"));
    }

    private static String fields(Class<?> type) {
        return Stream.of(type.getRecordComponents())
                .map(c -> c.getName() + ": " + Samples.documentedType(c.getGenericType()))
                .collect(Collectors.joining(", "));
    }

    private static List<Class<?>> inner(Function<Class<?>, Boolean> wanted) {
        Map<String, Class<?>> found = new TreeMap<>();
        Samples.messageTypes().forEach(type -> visit(type, found));
        return found.values().stream().filter(wanted::apply).toList();
    }

    private static void visit(Class<?> type, Map<String, Class<?>> found) {
        for (RecordComponent component : type.getRecordComponents()) {
            Class<?> plain = component.getGenericType() instanceof java.lang.reflect.ParameterizedType list
                    ? (Class<?>) list.getActualTypeArguments()[0]
                    : component.getType();
            if (plain.isRecord() || plain.isEnum()) {
                found.put(plain.getSimpleName(), plain);
            }
            if (plain.isRecord()) {
                visit(plain, found);
            }
        }
    }
}
