package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.AgentConfig;
import io.tombolo.coordinator.ConfigFile;
import io.tombolo.coordinator.CoordinatorConfig;
import io.tombolo.coordinator.Defaulted;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// docs/configuration.md is what the configuration records say, and the sample files can be used.
final class ConfigurationDocTest {
    private static final Pattern PARAM = Pattern.compile("(?m)^ */// @param +(\\w+) +(.*(?:\\R *///(?! *@| *$).*)*)");
    private static final Pattern KEY_LINE = Pattern.compile("^ *(?:# *)?([a-z][A-Za-z]+):(?: (.*))?$");

    /// One key as a person writes it.
    private record Key(String path, String type, String byDefault, String meaning) {
        String name() {
            return path.substring(path.lastIndexOf('.') + 1);
        }
    }

    @Test
    void everyKeyIsDescribedAsTheCodeDescribesIt() throws IOException {
        StringBuilder text = new StringBuilder(
                """
                        # Configuration files

                        `tombolo agent --config FILE` and `tombolo coordinator --config FILE` each read one YAML file. A key that is not
                        known, missing, of another type or out of its range ends the process with a `CONFIG_` error that names file and key;
                        nothing has been changed then. Samples with comments: [agent.yaml](../deploy/src/main/config/agent.yaml),
                        [coordinator.yaml](../deploy/src/main/config/coordinator.yaml). A test makes this page from the records in the code.
                        """);
        text.append("\n## Agent\n\n").append(table(AgentConfig.class));
        text.append("\n## Coordinator\n\n").append(table(CoordinatorConfig.class));
        text.append(
                """

                        ## The fence agent of a local cluster

                        `tombolo fence-local` fences hosts of a cluster that `tombolo up` started, by the calling convention of
                        the fence-agents package, so that fencing can be tried without power switches: options as `name=value`
                        lines on standard input.

                        | option | meaning |
                        |---|---|
                        | `action` | `off` kills the host's kill group and waits until it is empty; `status`, `monitor`, `metadata` |
                        | `plug` or `port` | name of the host |
                        | `cluster` | name of the local cluster, or path of its `control.sock`; `default` |

                        The exit status is 0 for success and 1 for failure; that of `status` is 0 for on and 2 for off. `on` and
                        `reboot` are refused: fencing starts nothing. `off` of a host that is off succeeds.

                        ```
                        printf 'action=off\\nplug=host-1\\ncluster=default\\n' | ./tombolo fence-local
                        ```

                        A fence agent is one executable: [fence_tombolo](../deploy/src/main/fence/fence_tombolo) calls the command,
                        and is what `command` of a fence agent names.

                        ## By hand, against an ensemble that is there

                        What `tombolo up` starts are exactly these processes. By hand, on one machine or several:

                        1. `tombolo region format /dev/shm/tombolo/region --size 4G --cluster-uuid UUID`, once, with a fresh UUID.
                        2. Copy the samples, set names, UUIDs, addresses and paths; `uuidgen` makes a host's UUID.
                        3. `tombolo coordinator --config coordinator.yaml`, on two machines or more, in any order with
                        4. `tombolo agent --config agent.yaml`, on every host. The systemd units in
                           [deploy/src/main/systemd](../deploy/src/main/systemd) start both and keep the agent's watchdog.
                        5. `tombolo status --zookeeper zk1:2181 --cluster demo`, and every other command with the same two options.

                        An agent waits for ZooKeeper for as long as a start may take; it joins no cluster whose region is another one.
                        The session time-out that the ensemble grants must be four times `timing.baseMs`: see [watchdog.md](watchdog.md).
                        """);
        DocsTest.compare("docs/configuration.md", text.toString());
    }

    @Test
    void theSampleOfAnAgentCanBeUsedAndShowsEveryKey() throws IOException {
        AgentConfig config = ConfigFile.load(sample("agent.yaml"), AgentConfig.class);

        assertThat(config.timing().baseMs() * 4).isEqualTo(config.zookeeper().sessionTimeoutMs());
        assertThat(config.rehearsalHops()).isEqualTo(6000);
        showsEveryKey("agent.yaml", keys("", AgentConfig.class));
    }

    @Test
    void theSampleOfACoordinatorCanBeUsedAndShowsEveryKey() throws IOException {
        CoordinatorConfig config = ConfigFile.load(sample("coordinator.yaml"), CoordinatorConfig.class);
        AgentConfig agent = ConfigFile.load(sample("agent.yaml"), AgentConfig.class);

        assertThat(config.clusterUuid()).isEqualTo(agent.clusterUuid());
        assertThat(config.regionFile()).isEqualTo(agent.regionFile());
        assertThat(config.zookeeper()).isEqualTo(agent.zookeeper());
        assertThat(config.handoff().baseMs()).isEqualTo(agent.timing().baseMs());
        showsEveryKey("coordinator.yaml", keys("", CoordinatorConfig.class));
    }

    /// Every key is there, nothing else looks like one, and what is commented out shows its default.
    private static void showsEveryKey(String sample, List<Key> keys) throws IOException {
        Map<String, List<Key>> byName = keys.stream().collect(Collectors.groupingBy(Key::name));
        Set<String> known = keys.stream().flatMap(key -> Stream.of(key.path().split("\\.", -1)))
                .collect(Collectors.toSet());
        List<String> shown = new ArrayList<>();
        for (String line : Files.readAllLines(sample(sample))) {
            Matcher matcher = KEY_LINE.matcher(line);
            if (!matcher.matches()) {
                continue;
            }
            assertThat(known).as(line).contains(matcher.group(1));
            shown.add(matcher.group(1));
            if (line.strip().startsWith("#") && matcher.group(2) != null) {
                assertThat(byName.get(matcher.group(1))).as(line).extracting(Key::byDefault)
                        .contains(matcher.group(2));
            }
        }
        assertThat(shown).containsAll(known);
    }

    private static String table(Class<? extends Record> type) throws IOException {
        return "| key | type | default | meaning |\n|---|---|---|---|\n" + keys("", type).stream()
                .map(key -> "| `" + key.path() + "` | " + key.type() + " | "
                        + (key.byDefault() == null ? "required" : "`" + key.byDefault() + "`") + " | " + key.meaning()
                        + " |\n")
                .collect(Collectors.joining());
    }

    private static List<Key> keys(String prefix, Class<?> type) throws IOException {
        Map<String, String> meanings = meanings(type);
        List<Key> keys = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String path = prefix + component.getName();
            if (component.getType().isRecord()) {
                keys.addAll(keys(path + ".", component.getType()));
                continue;
            }
            assertThat(meanings).as("a @param of " + type).containsKey(component.getName());
            Defaulted byDefault = component.getAnnotation(Defaulted.class);
            keys.add(new Key(path, typeName(component), byDefault == null ? null : byDefault.value(),
                    meanings.get(component.getName())));
        }
        return keys;
    }

    private static String typeName(RecordComponent component) {
        return Map.<Class<?>, String>of(int.class, "number", long.class, "number", String.class, "text", UUID.class,
                "UUID", List.class, "list", Map.class, "map").get(component.getType());
    }

    /// The @param texts of a record's documentation, by component.
    private static Map<String, String> meanings(Class<?> type) throws IOException {
        String source = Files.readString(source(type));
        Matcher declaration = Pattern.compile("(?m)((?:^ *///.*\\R)+)^ *public record " + type.getSimpleName() + "\\(")
                .matcher(source);
        assertThat(declaration.find()).as("documentation of " + type).isTrue();
        return PARAM.matcher(declaration.group(1)).results().collect(Collectors.toMap(r -> r.group(1),
                r -> r.group(2).replaceAll("\\R *///", " ").strip().replaceAll("\\s+", " ")
                        .replaceAll("\\[([A-Za-z#]+)\\]", "`$1`").replace("|", "\\|")));
    }

    private static Path source(Class<?> type) throws IOException {
        Function<Path, Path> sources = module -> module.resolve("src/main/java");
        String file = type.getName().replaceAll("\\$.*", "").replace('.', '/') + ".java";
        try (Stream<Path> modules = Files.list(DocsTest.root())) {
            return modules.map(sources).map(directory -> directory.resolve(file)).filter(Files::exists).findFirst()
                    .orElseThrow();
        }
    }

    private static Path sample(String name) {
        return DocsTest.root().resolve("deploy/src/main/config").resolve(name);
    }
}
