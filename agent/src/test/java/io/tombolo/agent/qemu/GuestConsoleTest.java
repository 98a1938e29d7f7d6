package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GuestConsoleTest {
    private static final String BEAT = "TOMBOLO-GUEST beat=%d up_ms=200 iterations=30 bytes=122880 errors=%d gap_us=7 gaps=1\r\n";

    @TempDir
    private Path directory;

    private Path append(String text) throws IOException {
        return Files.writeString(directory.resolve("console"), text, StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    @Test
    void aConsoleThatIsNotThereYetHasNoBeat() {
        assertThat(new GuestConsole(directory.resolve("none")).latest()).isEmpty();
    }

    @Test
    void readsHeartbeatsAsTheyCome() throws IOException {
        GuestConsole console = new GuestConsole(append("[    0.1] Linux\r\n" + BEAT.formatted(1, 0)));
        assertThat(console.latest()).contains(new GuestConsole.Beat(1, 200, 30, 122880, 0, 7, 1));
        append(BEAT.formatted(2, 0).substring(0, 40));
        assertThat(console.latest().orElseThrow().number()).isEqualTo(1);
        append(BEAT.formatted(2, 0).substring(40));
        assertThat(console.latest().orElseThrow().number()).isEqualTo(2);
    }

    @Test
    void theRestOfALineCutByAHopIsPassedOver() throws IOException {
        GuestConsole console = new GuestConsole(append("at=6 up_ms=1 errors=0\r\n" + BEAT.formatted(7, 0)));
        assertThat(console.latest().orElseThrow().number()).isEqualTo(7);
        assertThat(console.complaint()).isEmpty();
    }

    @Test
    void aGuestThatComplainsOrCountsErrorsFailsTheWait() throws IOException {
        GuestConsole counting = new GuestConsole(append(BEAT.formatted(1, 3)));
        assertThatThrownBy(() -> counting.await(_ -> true, 1000)).hasMessageStartingWith("GUEST_FAILED");
        GuestConsole complaining = new GuestConsole(append("TOMBOLO-GUEST-CORRUPTION page=1 word=2\r\n"));
        assertThat(complaining.complaint()).isEqualTo("TOMBOLO-GUEST-CORRUPTION page=1 word=2");
        assertThatThrownBy(() -> complaining.await(_ -> true, 1000)).hasMessageContaining("page=1 word=2");
    }

    @Test
    void aGuestThatStandsStillFailsTheWait() throws IOException {
        GuestConsole console = new GuestConsole(append(BEAT.formatted(1, 0)));
        assertThatThrownBy(() -> console.await(b -> b.number() > 1, 30)).hasMessageStartingWith("QEMU_TIMEOUT");
    }
}
