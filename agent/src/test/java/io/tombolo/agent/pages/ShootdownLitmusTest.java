package io.tombolo.agent.pages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A short run of [ShootdownLitmus] by jcstress, in a process of its own.
final class ShootdownLitmusTest {
    private static final Pattern PLANNED = Pattern
            .compile("Results: (\\d+) planned; (\\d+) passed, (\\d+) failed, (\\d+) soft errs, (\\d+) hard errs");
    private static final Pattern INTERESTING = Pattern.compile("Interesting tests: (\\d+) matching test results");
    private static final int SOUND = 9;
    private static final int BROKEN = 2;
    private static final int TRIES = 5;

    @TempDir
    static Path directory;

    private static String all = "";

    /// One run for all, because jcstress looks at the machine for some seconds before it begins.
    @BeforeAll
    static void runAll() throws IOException, InterruptedException {
        assertThat(Runtime.getRuntime().availableProcessors()).as("two threads at the same time").isGreaterThan(1);
        all = run("ShootdownLitmus", 200);
    }

    @Test
    void showsNoForbiddenOutcome() {
        assertThat(last(all)).as(all).containsExactly(SOUND + BROKEN, SOUND + BROKEN, 0, 0, 0);
    }

    /// What is left out is missed, so the tests above can fail.
    @Test
    void showsWhatThePlantedMistakesDo() throws IOException, InterruptedException {
        String output = all;
        for (int i = 0; i < TRIES && interesting(output) < BROKEN; i++) {
            output = run("ShootdownLitmus\\.Broken", 500L << i);
        }
        assertThat(interesting(output)).as(output).isEqualTo(BROKEN);
    }

    private static int interesting(String output) {
        Matcher interesting = INTERESTING.matcher(output);
        return interesting.find() ? Integer.parseInt(interesting.group(1)) : 0;
    }

    private static List<Integer> last(String output) {
        Matcher planned = PLANNED.matcher(output);
        List<Integer> numbers = List.of();
        while (planned.find()) {
            numbers = List.of(number(planned, 1), number(planned, 2), number(planned, 3), number(planned, 4),
                    number(planned, 5));
        }
        return numbers;
    }

    private static int number(Matcher matcher, int group) {
        return Integer.parseInt(matcher.group(group));
    }

    /// One configuration of the JVM, whose compiler has both actors; long runs take all of them.
    private static String run(String tests, long timeMs) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), "org.openjdk.jcstress.Main", "-t", tests, "-m", "quick",
                "-time", Long.toString(timeMs), "-f", "1", "-iters", "1", "-sc", "false", "-af", "NONE", "-jvmArgs",
                "-Xmx256m").directory(directory.toFile()).redirectErrorStream(true).start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            return output;
        } finally {
            // Its forks end when their parent's port is gone.
            process.destroyForcibly();
        }
    }
}
