package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The byte tables in docs/region-format.md are those of the code. `-Dtombolo.update=true` rewrites them; look at the
/// difference.
class RegionFormatDocTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "region-format.md");

    @Test
    void quotesTheByteTablesOfTheCode() throws IOException {
        String text = Files.readString(DOCUMENT);
        String expected = text;
        for (Struct struct : RegionLayout.structures()) {
            expected = replace(expected, "<!-- table " + struct.name() + " -->\n", RegionLayout.markdown(struct));
        }
        expected = replace(expected, "<!-- transitions -->\n", OwnerState.markdown());
        if (Boolean.getBoolean("tombolo.update")) {
            Files.writeString(DOCUMENT, expected);
        }
        assertThat(Files.readString(DOCUMENT)).isEqualTo(expected);
    }

    private static String replace(String text, String marker, String table) {
        int from = text.indexOf(marker);
        assertThat(from).as("the document has %s", marker).isNotNegative();
        int start = from + marker.length();
        return text.substring(0, start) + table + text.substring(text.indexOf("<!-- end -->", start));
    }

    @Test
    void laysStructuresOutWithoutHolesAndOnTheirOwnLines() {
        for (Struct struct : RegionLayout.structures()) {
            long at = 0;
            for (Struct.Field field : struct.fields()) {
                assertThat(field.offset()).as("%s %s", struct.name(), field.name()).isEqualTo(at);
                at += field.bytes();
            }
            assertThat(at).as(struct.name()).isEqualTo(struct.bytes());
        }
        for (String word : new String[]{"owner", "armed", "spin", "from", "gate", "commit", "local_pages", "pins"}) {
            assertThat(RegionLayout.VM_SLOT.offset(word) % 128).as(word).isZero();
        }
        assertThat(RegionLayout.HOST_SLOT.offset("word") % 128).isZero();
        assertThat(RegionLayout.rows()).hasSizeGreaterThan(80);
    }
}
