package io.tombolo.agent.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Holds docs/simulated-hypervisor.md to the code where it gives numbers.
final class SimulatedHypervisorDocTest {
    private static final Pattern ROW = Pattern.compile("\\| (\\d+) \\| (\\d+) \\| ");

    private static List<String> document() throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        return Files.readAllLines(root.resolve("docs/simulated-hypervisor.md"));
    }

    @Test
    void listsEveryRegisterWithItsNumber() throws IOException, IllegalAccessException {
        List<String> lines = document();
        int registers = 0;
        for (Field field : VcpuRegisters.class.getFields()) {
            if (Modifier.isStatic(field.getModifiers()) && !field.getName().equals("COUNT")) {
                registers++;
                String row = "| " + field.getInt(null) + " | " + field.getName() + " | ";
                assertThat(lines).as(row).anyMatch(line -> line.startsWith(row));
            }
        }
        assertThat(registers).isEqualTo(14);
    }

    @Test
    void listsEveryProgramWithItsCodeAndSlice() throws IOException {
        List<String> lines = document();
        for (GuestProgram program : GuestProgram.ALL) {
            assertThat(lines)
                    .anyMatch(line -> line.startsWith("| `" + program.label() + "` | " + program.code() + " | ")
                            && line.contains(" | " + program.sliceInstructions() + " | "));
        }
    }

    @Test
    void hasTheByteTableOfTheBlobWithTheCodecsOffsets() throws IOException {
        List<String> lines = document();
        int end = 0;
        for (String line : lines.subList(lines.indexOf("## State blob, schema " + SimulatedStateCodec.SCHEMA),
                lines.indexOf("### Registers"))) {
            Matcher row = ROW.matcher(line);
            if (row.lookingAt()) {
                assertThat(Integer.parseInt(row.group(1))).as(line).isEqualTo(end);
                end += Integer.parseInt(row.group(2));
            }
        }
        assertThat(end).isEqualTo(SimulatedStateCodec.HEADER_BYTES);
        assertThat(lines).anyMatch(line -> line.startsWith("| " + end(0) + " + " + SimulatedStateCodec.VCPU_BYTES
                + " i | 4 | index of the vCPU"));
        assertThat(lines)
                .anyMatch(line -> line.startsWith("| " + end(8) + " + " + SimulatedStateCodec.VCPU_BYTES + " i | "
                        + VcpuRegisters.COUNT * Long.BYTES + " | "));
    }

    private static int end(int offset) {
        return SimulatedStateCodec.HEADER_BYTES + offset;
    }

    @Test
    void namesTheLimitsOfRequests() throws IOException {
        String text = String.join("\n", document());
        assertThat(text).contains("| requests waiting per VM | " + RequestQueue.DEFAULT_CAPACITY + " |")
                .contains("at most " + ClientTable.MAX_ENTRIES + " |").contains("chunks of " + InputLog.CHUNK_ENTRIES)
                .contains("audited every " + BankProgram.AUDIT_EVERY)
                .contains(BankProgram.CLIENT_ACCOUNTS + " accounts of " + BankProgram.INITIAL_BALANCE + " each");
    }
}
