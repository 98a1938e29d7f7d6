package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.RegionLayout;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Region files that are no region of this cluster, given to every command that opens one: each says the same code and
/// leaves the file as it was.
final class BadRegionInputTest {
    private static final UUID CLUSTER = new UUID(0x7, 0x1);

    @TempDir
    private Path directory;

    /// What is wrong with the file, and what is said of it.
    enum Bad {
        MISSING("REGION_MISSING", 2) {
            @Override
            void make(Path file) {
                // Nothing is there.
            }
        },
        TOO_SMALL("REGION_TOO_SMALL", 5) {
            @Override
            void make(Path file) throws IOException {
                Files.write(file, new byte[100]);
            }
        },
        NOT_A_REGION("REGION_NOT_A_REGION", 2) {
            @Override
            void make(Path file) throws IOException {
                Files.write(file, new byte[1 << 20]);
            }
        },
        TRUNCATED("REGION_TRUNCATED", 5) {
            @Override
            void make(Path file) throws IOException {
                format(file);
                try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
                    opened.setLength(opened.length() / 2);
                }
            }
        },
        NEWER_MAJOR("REGION_VERSION_UNKNOWN", 2) {
            @Override
            void make(Path file) throws IOException {
                format(file);
                patch(file, "major", 2, Integer.BYTES);
            }
        },
        UNKNOWN_FEATURE("REGION_FEATURE_UNKNOWN", 2) {
            @Override
            void make(Path file) throws IOException {
                format(file);
                patch(file, "incompat", 1 | 1L << 40, Long.BYTES);
            }
        },
        NEVER_READY("REGION_NOT_READY", 5) {
            @Override
            void make(Path file) throws IOException {
                format(file);
                patch(file, "ready", 0, Long.BYTES);
            }
        },
        DAMAGED_SUPERBLOCK("REGION_SUPERBLOCK_DAMAGED", 5) {
            @Override
            void make(Path file) throws IOException {
                format(file);
                patch(file, "frame_count", 511, Long.BYTES);
            }
        };

        final String code;
        final int status;

        Bad(String code, int status) {
            this.code = code;
            this.status = status;
        }

        abstract void make(Path file) throws IOException;
    }

    private static void format(Path file) {
        CliRun.of("region", "format", file.toString(), "--size", "2M", "--host-slots", "4", "--vm-slots", "4",
                "--metadata-slot", "4K", "--cluster-uuid", CLUSTER.toString()).succeeds();
    }

    /// Changes one field and seals the superblock again where its checksum covers the field.
    private static void patch(Path file, String field, long value, int bytes) throws IOException {
        int length = 4096;
        byte[] superblock = Arrays.copyOf(Files.readAllBytes(file), length);
        ByteBuffer buffer = ByteBuffer.wrap(superblock).order(ByteOrder.LITTLE_ENDIAN);
        int at = offset(field);
        if (bytes == Integer.BYTES) {
            buffer.putInt(at, (int) value);
        } else {
            buffer.putLong(at, value);
        }
        if (!field.equals("frame_count")) {
            CRC32C crc = new CRC32C();
            crc.update(superblock, 0, offset("crc"));
            buffer.putInt(offset("crc"), (int) crc.getValue());
        }
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
            opened.write(superblock);
        }
    }

    private static int offset(String field) {
        return (int) RegionLayout.rows().stream()
                .filter(row -> row.structure().equals("superblock") && row.field().equals(field)).findFirst()
                .orElseThrow().offset();
    }

    @ParameterizedTest
    @EnumSource
    void everyCommandRefusesItByTheSameCodeAndChangesNothing(Bad bad) throws IOException {
        Path file = directory.resolve("region");
        bad.make(file);
        byte[] before = Files.exists(file) ? Files.readAllBytes(file) : null;

        CliRun.of("region", "inspect", file.toString()).isRefused(bad.code, bad.status);
        CliRun.of("region", "inspect", file.toString(), "host:0").isRefused(bad.code, bad.status);
        CliRun verify = CliRun.of("region", "verify", file.toString()).isRefused(bad.code, bad.status);
        assertThat(verify.out()).contains("1 finding");
        CliRun.of("agent", "--config", agent(file, CLUSTER).toString()).isRefused(bad.code, bad.status);
        CliRun.of("coordinator", "--config", coordinator(file).toString()).isRefused(bad.code, bad.status);

        assertThat(Files.exists(file) ? Files.readAllBytes(file) : null).isEqualTo(before);
    }

    @Test
    void theRegionOfAnotherClusterIsRefusedByAgentAndCoordinator() throws IOException {
        Path file = directory.resolve("region");
        CliRun.of("region", "format", file.toString(), "--size", "2M").succeeds();
        byte[] before = Files.readAllBytes(file);

        CliRun.of("agent", "--config", agent(file, CLUSTER).toString()).isRefused("REGION_OTHER_CLUSTER", 2);
        CliRun.of("coordinator", "--config", coordinator(file).toString()).isRefused("REGION_OTHER_CLUSTER", 2);

        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    @Test
    void formatOverwritesNothingUnlessForced() throws IOException {
        Path file = directory.resolve("region");
        format(file);
        byte[] before = Files.readAllBytes(file);
        Path text = Files.writeString(directory.resolve("notes"), "precious");

        CliRun.of("region", "format", file.toString(), "--size", "2M").isRefused("REGION_EXISTS", 3);
        CliRun.of("region", "format", text.toString(), "--size", "2M").isRefused("REGION_FILE_NOT_EMPTY", 3);

        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertThat(text).hasContent("precious");
        CliRun.of("region", "format", file.toString(), "--size", "2M", "--force").succeeds();
    }

    @Test
    void aFileSystemWithoutRoomKeepsNothing() throws IOException {
        Path file = directory.resolve("region");
        long room = Files.getFileStore(directory).getUsableSpace();

        CliRun.of("region", "format", file.toString(), "--size", (room >> 30) + 2 + "G").isRefused("REGION_NO_ROOM", 4);
        CliRun.of("region", "format", directory.resolve("none/region").toString(), "--size", "2M")
                .isRefused("REGION_IO", 4);

        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).isEmpty();
        }
    }

    private Path agent(Path region, UUID cluster) throws IOException {
        return Files.writeString(directory.resolve("agent.yaml"), """
                name: host-1
                hostUuid: 00000000-0000-0001-0000-000000000002
                clusterName: demo
                clusterUuid: %s
                zookeeper: {connect: "127.0.0.1:1"}
                regionFile: %s
                runDirectory: %s
                rehearsalHops: 0
                """.formatted(cluster, region, directory.resolve("run")));
    }

    private Path coordinator(Path region) throws IOException {
        return Files.writeString(directory.resolve("coordinator.yaml"), """
                id: coordinator-1
                clusterName: demo
                clusterUuid: %s
                zookeeper: {connect: "127.0.0.1:1"}
                regionFile: %s
                """.formatted(CLUSTER, region));
    }
}
