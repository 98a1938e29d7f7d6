package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.right.Timings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SystemdUnitCheckTest {
    private static final Path UNITS = Path.of("src", "main", "systemd");
    private static final Optional<Timings> STANDARD = Optional.of(Timings.standard());

    private static String agentUnit() throws IOException {
        Path unit = UNITS.resolve("tombolo-agent.service");
        return Files.readString(Files.exists(unit) ? unit : Path.of("deploy").resolve(unit));
    }

    private static List<SystemdUnitCheck.Finding> check(String... files) {
        return SystemdUnitCheck.checkAgent(SystemdUnitCheck.parseUnit(List.of(files)), STANDARD);
    }

    @Test
    void theUnitThatTheProjectShipsIsGood() throws IOException {
        assertThat(check(agentUnit())).isEmpty();
    }

    @Test
    void systemdsDefaultsAreNot() {
        assertThat(check("[Service]\nExecStart=/opt/tombolo/tombolo agent\n")).extracting(SystemdUnitCheck.Finding::key)
                .containsExactly("Type", "WatchdogSec", "WatchdogSignal", "TimeoutAbortSec");
    }

    @ParameterizedTest
    @CsvSource({"Type=simple,Type", "NotifyAccess=all,NotifyAccess", "NotifyAccess=none,NotifyAccess",
            "WatchdogSec=,WatchdogSec", "WatchdogSec=0,WatchdogSec", "WatchdogSec=30s,WatchdogSec",
            "WatchdogSignal=SIGABRT,WatchdogSignal", "WatchdogSignal=,WatchdogSignal",
            "TimeoutAbortSec=90,TimeoutAbortSec", "TimeoutAbortSec=infinity,TimeoutAbortSec",
            "TimeoutAbortSec=,TimeoutAbortSec", "KillMode=process,KillMode", "KillMode=mixed,KillMode",
            "KillMode=none,KillMode", "SendSIGKILL=no,SendSIGKILL", "FinalKillSignal=SIGTERM,FinalKillSignal"})
    void findsEachSettingThatADropInBreaks(String line, String key) throws IOException {
        List<SystemdUnitCheck.Finding> findings = check(agentUnit(), "[Service]\n" + line + "\n");

        assertThat(findings).extracting(SystemdUnitCheck.Finding::key).containsExactly(key);
        assertThat(findings.getFirst().next()).startsWith(key + "=");
        assertThat(check(agentUnit(), "[Service]\n" + line, "[Service]\n" + findings.getFirst().next()))
                .as("what it says to set, set").isEmpty();
    }

    @Test
    void theWatchdogTimeHasToBeTheAgents() throws IOException {
        var settings = SystemdUnitCheck.parseUnit(List.of(agentUnit()));

        assertThat(SystemdUnitCheck.checkAgent(settings, Optional.of(new Timings(2000))))
                .extracting(SystemdUnitCheck.Finding::next).containsExactly("WatchdogSec=4000ms");
        assertThat(SystemdUnitCheck.checkAgent(settings, Optional.empty())).isEmpty();
    }

    @Test
    void readsOnlyTheServiceSectionAndJoinsContinuedLines() {
        var settings = SystemdUnitCheck.parseUnit(List.of("""
                [Unit]
                Type=oneshot
                [Service]
                # KillMode=none
                ; KillMode=none
                ExecStart=/bin/a \\
                  --b
                 Type = notify
                [Install]
                KillMode=none
                """));

        assertThat(settings).containsOnlyKeys("ExecStart", "Type").containsEntry("Type", "notify");
        assertThat(settings.get("ExecStart")).contains("--b");
    }

    @Test
    void readsWhatSystemctlShows() {
        String good = """
                Type=notify
                NotifyAccess=main
                WatchdogUSec=1s
                WatchdogSignal=9
                TimeoutStopUSec=10s
                TimeoutAbortUSec=1s
                KillMode=control-group
                SendSIGKILL=yes
                FinalKillSignal=9
                """;
        assertThat(SystemdUnitCheck.checkAgent(SystemdUnitCheck.parseShow(good), STANDARD)).isEmpty();

        String bad = good.replace("WatchdogSignal=9", "WatchdogSignal=6").replace("AbortUSec=1s", "AbortUSec=1min 30s");
        assertThat(SystemdUnitCheck.checkAgent(SystemdUnitCheck.parseShow(bad), STANDARD))
                .extracting(SystemdUnitCheck.Finding::found).containsExactly("6", "1min 30s");
    }

    @ParameterizedTest
    @CsvSource({"5,5000", "5s,5000", "500ms,500", "1min 30s,90000", "1.5s,1500", "2 min,120000", "1h,3600000",
            "0,0", "2000us,2"})
    void readsTimeSpans(String text, long millis) {
        assertThat(SystemdUnitCheck.parseSpan(text)).contains(Duration.ofMillis(millis));
    }

    @ParameterizedTest
    @CsvSource({"infinity", "5 parsecs", "''", "5s x", "-1"})
    void refusesWhatIsNoTimeSpan(String text) {
        assertThat(SystemdUnitCheck.parseSpan(text)).isEmpty();
    }
}
