package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.region.RegionLayout;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RegionCommandTest {
    @TempDir
    Path directory;

    private String file;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("region").toString();
    }

    @Test
    void formatsAndSaysWhatItMade() throws IOException {
        assertThat(format("--json")).isZero();

        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("clusterUuid").asText()).isEqualTo("00000000-0000-0007-0000-000000000001");
        assertThat(json.get("fileBytes").asLong()).isEqualTo(Files.size(Path.of(file)));
        assertThat(json.get("hostSlots").asInt()).isEqualTo(4);
    }

    @Test
    void refusesToFormatWhatIsThereUnlessForced() throws IOException {
        format();
        byte[] before = Files.readAllBytes(Path.of(file));

        assertThat(format()).isEqualTo(3);
        assertThat(err.toString()).startsWith("REGION_EXISTS: ").contains("--force");
        assertThat(Files.readAllBytes(Path.of(file))).isEqualTo(before);
        assertThat(format("--force")).isZero();
        assertThat(Files.readAllBytes(Path.of(file))).isNotEqualTo(before);
    }

    @Test
    void leavesNothingBehindWhenItRefuses() throws IOException {
        assertThat(run("region", "format", file, "--size", "8192T")).isNotZero();

        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void verifiesASoundRegion() {
        format();

        assertThat(run("region", "verify", file)).isZero();
        assertThat(out.toString()).contains("0 findings");
    }

    @Test
    void findsADamagedRegionAndEndsWithFive() throws IOException {
        format();
        try (RandomAccessFile opened = new RandomAccessFile(file, "rw")) {
            // The state of the first host slot's word: 15 is none.
            opened.seek(4096 + 7);
            opened.write(0xFF);
        }

        assertThat(run("region", "verify", file)).isEqualTo(5);
        assertThat(out.toString()).contains("host_slot 0");
        assertThat(err.toString()).startsWith("REGION_DAMAGED: ").contains("findings=");
    }

    @Test
    void inspectsWhatIsInUseOrWhatIsNamed() throws IOException {
        format();
        out.getBuffer().setLength(0);

        assertThat(run("region", "inspect", file)).isZero();
        assertThat(out.toString()).startsWith("superblock at 0\n").contains("host_slots: 4").doesNotContain("vm_slot ");
        out.getBuffer().setLength(0);
        for (String structure : List.of("superblock", "host:0", "vm:1", "metadata:0:1", "block:0", "frame:3")) {
            out.getBuffer().setLength(0);
            assertThat(inspect(structure)).isZero();
            JsonNode decoded = new ObjectMapper().readTree(out.toString());
            assertThat(decoded).hasSize(1);
            assertThat(decoded.get(0).get("title").asText().replaceAll("\\D", ""))
                    .isEqualTo(structure.replaceAll("\\D", ""));
            assertThat(decoded.get(0).get("fields")).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"vm:99", "vm", "host:0:1", "frame:99999999999", "metadata:0:2", "nothing:0", "pte:0:0",
            "vm:x"})
    void aStructureThatTheRegionDoesNotHaveIsRefused(String structure) {
        format();

        assertThat(inspect(structure)).isEqualTo(2);
        assertThat(err.toString()).matches("(?s)(STRUCTURE_UNKNOWN|OPTION_INVALID): .* Next: .*");
    }

    private int inspect(String structure) {
        return run(Stream.concat(Stream.of("region", "inspect", "--json", file), Stream.of(structure.split(" ", -1)))
                .toArray(String[]::new));
    }

    @Test
    void aRegionThatIsNotThereIsAnErrorOfEveryCommand() {
        assertThat(run("region", "verify", file)).isNotZero();
        assertThat(run("region", "inspect", file)).isNotZero();
        assertThat(err.toString()).contains("REGION_MISSING: ").contains("tombolo region format");
    }

    @Test
    void printsTheLayoutOfOneStructureAndOfAll() throws IOException {
        assertThat(run("region", "layout", "frame_word")).isZero();
        assertThat(out.toString()).startsWith("STRUCTURE").hasLineCount(2);
        out.getBuffer().setLength(0);
        assertThat(run("region", "layout", "--json")).isZero();
        assertThat(new ObjectMapper().readTree(out.toString())).hasSize(RegionLayout.rows().size());
        assertThat(run("region", "layout", "nothing")).isEqualTo(2);
    }

    private int format(String... more) {
        return run(Stream.concat(
                Stream.of("region", "format", file, "--size", "2M", "--host-slots", "4", "--vm-slots", "4",
                        "--metadata-slot", "4K", "--cluster-uuid", "00000000-0000-0007-0000-000000000001"),
                Stream.of(more)).toArray(String[]::new));
    }

    private int run(String... args) {
        return Tombolo.run(new FakeServices(directory.resolve("state")), new PrintWriter(out, true),
                new PrintWriter(err, true), args);
    }
}
